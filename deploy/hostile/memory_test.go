package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMemoryCountsChildrenOfChildren starts a shell that starts a shell that holds 64 MiB.
func TestMemoryCountsChildrenOfChildren(t *testing.T) {
	cmd := exec.Command("sh", "-c", `sh -c 'x=$(head -c 67108864 /dev/zero | tr "\0" a); echo full; read line; echo ${#x}'; true`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "full" {
		t.Fatal(line, err)
	}
	m := &memory{pid: cmd.Process.Pid, children: map[int]bool{}}
	m.sample()
	now, peak, share, most, seen := m.figures()
	if now < 64<<20 || peak != now || share < 64<<20 || most < 1 || seen != most {
		t.Errorf("now %d, peak %d, share %d, %d children, %d seen", now, peak, share, most, seen)
	}
	if alone := resident(cmd.Process.Pid); alone > 32<<20 {
		t.Errorf("the outer shell itself has %d", alone)
	}
	if resident(os.Getpid()) == 0 || proportional(os.Getpid()) == 0 {
		t.Error("this very process has no memory")
	}
}
