package decode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain makes this test binary a decoder that also does what a photo orders,
// when it is started as one, and a parent that is to be killed.
func TestMain(m *testing.M) {
	switch os.Args[len(os.Args)-1] {
	case ChildName:
		if err := serve(obedient); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "decode-stillborn":
		fmt.Fprintln(os.Stderr, "error while loading shared libraries")
		os.Exit(127)
	case "decode-parent":
		beParent()
	}
	os.Exit(m.Run())
}

// order is a photo that says what its decoder shall do.
func order(what string) []byte { return []byte("order: " + what) }

func obedient(d *Decoder, ctx context.Context, data []byte, g Geometry, dst []byte) (Photo, error) {
	what, ok := strings.CutPrefix(string(data[:min(len(data), 30)]), "order: ")
	if !ok {
		return d.Photo(ctx, data, g, dst)
	}
	switch what {
	case "exit":
		fmt.Fprintln(os.Stderr, "I was told to go")
		os.Exit(3)
	case "segfault":
		crashInC(d, g)
	case "hang":
		select {}
	case "spin":
		for {
			continue
		}
	case "hoard":
		hoard()
	case "be refused memory":
		return Photo{}, &fault{ErrCorrupt, "tiff is corrupt: out of memory --- size == 48MB"}
	case "babble":
		babble(strings.Repeat("\xff", 8192))
	case "answer another":
		babble(string(encodeReply(1<<40, Photo{}, ErrCorrupt)))
	case "do what is forbidden":
		return Photo{}, &fault{ErrFormat, "allowed:" + forbidden()}
	}
	return Photo{}, &fault{ErrFormat, "unknown order"}
}

func babble(text string) {
	_, _ = os.NewFile(controlFile, "control").WriteString(text)
	select {}
}

// crashInC has libvips read a good photo and write its pixels where nothing is.
func crashInC(d *Decoder, g Geometry) {
	var photo bytes.Buffer
	err := png.Encode(&photo, flat(64, 64, [3]byte{1, 2, 3}))
	if err != nil {
		os.Exit(5)
	}
	nowhere, err := unix.Mmap(-1, 0, g.Bytes(), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		os.Exit(6)
	}
	_, _ = d.Pixels(photo.Bytes(), g, nowhere)
}

// hoard takes memory, and uses it, until there is none.
func hoard() {
	var kept [][]byte
	for range 1 << 12 {
		piece := make([]byte, 16<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		kept = append(kept, piece)
	}
	fmt.Fprintln(os.Stderr, "there was no end", len(kept))
}

// forbidden tries what a codec that was taken over would, and names what the
// system allowed.
func forbidden() string {
	var allowed []string
	note := func(what string, err error) {
		if !errors.Is(err, unix.EPERM) {
			allowed = append(allowed, fmt.Sprintf("%s (%v)", what, err))
		}
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	note("socket", err)
	note("connect", unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}}))
	file := filepath.Join(os.TempDir(), "planetag-forbidden")
	_, err = unix.Open(file, unix.O_CREAT|unix.O_WRONLY, 0o600)
	note("create", err)
	_, err = unix.Open("/dev/null", unix.O_WRONLY, 0)
	note("open for writing", err)
	note("unlink", unix.Unlink(file))
	note("rename", unix.Rename(file, file+"2"))
	note("mkdir", unix.Mkdir(file, 0o700))
	note("exec", unix.Exec("/bin/true", []string{"true"}, nil))
	_, err = syscall.ForkExec("/bin/true", []string{"true"}, nil)
	note("fork", err)
	note("kill", unix.Kill(os.Getppid(), 0))
	note("ptrace", unix.PtraceAttach(os.Getppid()))
	_, err = unix.MemfdCreate("x", 0)
	note("memfd", err)
	note("ftruncate", unix.Ftruncate(sharedFile, 0))
	note("raise limit", unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}))
	return strings.Join(allowed, ", ")
}
