package decode

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// Another process's clock runs while that process works, and says what /proc says.
func TestProcessorTimeIsThatOfTheProcess(t *testing.T) {
	busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	pid := busy.Process.Pid
	for processorTime(pid) < 50*time.Millisecond {
		time.Sleep(time.Millisecond)
	}
	before, ticks, after := processorTime(pid), ticksOf(pid), processorTime(pid)
	const tick = time.Second / 100
	if ticks < before-2*tick || ticks > after+2*tick {
		t.Errorf("/proc says %v, the clock %v before and %v after it", ticks, before, after)
	}
	if own := processorTime(os.Getpid()); own == 0 {
		t.Error("this process has used no processor time")
	}
	_ = busy.Process.Kill() // it has not ended by itself
	_ = busy.Wait()
	if gone := processorTime(pid); gone != 0 {
		t.Errorf("a process that is gone has used %v", gone)
	}
}
