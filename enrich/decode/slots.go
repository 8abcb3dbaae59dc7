package decode

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"unsafe"
)

// Slots is a fixed number of equal buffers outside Go's heap, where decoded
// photos wait for the model: the collector neither scans nor moves nor counts
// them, and their number is the bound on decoded photos in memory.
type Slots struct {
	free   chan []byte
	closed chan struct{}
	stride int
	bytes  int

	mu   sync.Mutex
	mem  []byte // nil once unmapped
	out  []bool // by slot: handed out
	lent int
}

// NewSlots maps n slots of the given length; each begins on a page of its own.
func NewSlots(n, bytes int) (*Slots, error) {
	if n < 1 || bytes < 1 {
		return nil, fmt.Errorf("map slots: %d slots of %d bytes: both must be at least 1", n, bytes)
	}
	page := syscall.Getpagesize()
	stride := (bytes + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, n*stride, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map slots: %d slots of %d bytes: %w", n, bytes, err)
	}
	s := &Slots{
		free:   make(chan []byte, n),
		closed: make(chan struct{}),
		stride: stride,
		bytes:  bytes,
		mem:    mem,
		out:    make([]bool, n),
	}
	for i := range n {
		s.free <- mem[i*stride : i*stride+bytes : i*stride+bytes]
	}
	return s, nil
}

// Get waits for a free slot. Its content is what the last user left. The error
// is ctx's, or [ErrClosed].
func (s *Slots) Get(ctx context.Context) ([]byte, error) {
	// A stop that has already been asked for wins over a free slot.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case slot := <-s.free:
		return s.lend(slot)
	case <-s.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Slots) lend(slot []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mem == nil { // closed between the receive and here
		return nil, ErrClosed
	}
	s.out[s.index(slot)] = true
	s.lent++
	return slot, nil
}

// Put gives a slot back. Anything but a slot that Get handed out and nobody
// has put back yet is a mistake that would let two photos share their pixels;
// it panics.
func (s *Slots) Put(slot []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(slot)
	if i < 0 || len(slot) != s.bytes || !s.out[i] {
		panic("internal error: put of a buffer that is not a slot on loan")
	}
	s.out[i] = false
	s.lent--
	s.free <- slot[:s.bytes:s.bytes]
	s.unmapWhenIdle()
}

// Close makes Get fail from now on. The memory is given back at once, or with
// the last Put: C code may still be writing to a slot on loan.
func (s *Slots) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return
	default:
	}
	close(s.closed)
	s.unmapWhenIdle()
}

func (s *Slots) unmapWhenIdle() {
	select {
	case <-s.closed:
	default:
		return
	}
	if s.lent == 0 && s.mem != nil {
		// Munmap of a whole mapping this type made cannot fail.
		_ = syscall.Munmap(s.mem)
		s.mem = nil
	}
}

// index is the slot's number, or -1 when the buffer does not begin one.
func (s *Slots) index(slot []byte) int {
	if len(slot) == 0 || s.mem == nil {
		return -1
	}
	base := uintptr(unsafe.Pointer(unsafe.SliceData(s.mem)))
	at := uintptr(unsafe.Pointer(unsafe.SliceData(slot)))
	if at < base || at >= base+uintptr(len(s.mem)) || (at-base)%uintptr(s.stride) != 0 {
		return -1
	}
	return int(at-base) / s.stride
}
