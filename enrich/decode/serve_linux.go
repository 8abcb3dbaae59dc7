package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// The files that a child finds open.
const (
	sharedFile  = 3
	controlFile = 4
)

// RunChild is a decoder process: it takes photos from the Pool that started it
// until that one closes the line. It limits the whole process for good, so
// nothing else can be done in it before or after. The error is a line that is
// broken, as it is when somebody else than a Pool calls.
func RunChild() error {
	return serve((*Decoder).Photo)
}

// work is what is done with a photo.
type work func(d *Decoder, ctx context.Context, data []byte, g Geometry, dst []byte) (Photo, error)

func serve(do work) error {
	signal.Ignore(unix.SIGINT, unix.SIGTERM) // who decides about the end is the parent
	control := os.NewFile(controlFile, "control")
	var s setup
	if err := receive(control, &s); err != nil {
		return fmt.Errorf("receive setup: %w", err)
	}
	memory, err := mapShared(sharedFile, s.memoryBytes())
	if err != nil {
		return err
	}
	d, err := New(s.limits())
	if err != nil {
		return err
	}
	confined, err := confine(s.Memory)
	if err != nil {
		return err
	}
	ready := hello{Word: helloWord}
	if confined {
		ready.Confined = 1
	}
	if _, err := control.Write(bytesOf(&ready)); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	return photos(control, memory, s, func(data, dst []byte) (Photo, error) {
		return do(d, context.Background(), data, s.geometry(), dst)
	})
}

// photos answers one request after the other.
func photos(control *os.File, memory []byte, s setup, do func(data, dst []byte) (Photo, error)) error {
	dst, photo := memory[:s.geometry().Bytes()], memory[s.photoAt():]
	for {
		// Else all photos are one turn of this goroutine. The runtime's monitor takes its
		// place away every 10 ms then, and looks for more to do every 20 µs thereafter.
		runtime.Gosched()
		var r request
		err := receive(control, &r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive photo: %w", err)
		}
		p, err := do(photo[:r.Bytes], dst)
		if err != nil && outOfMemory(err.Error()) {
			err = &fault{errMemory, err.Error()}
		}
		if _, err := control.Write(encodeReply(r.Sequence, p, err)); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

func receive[M fixed](control *os.File, m *M) error {
	_, err := io.ReadFull(control, bytesOf(m))
	return err
}
