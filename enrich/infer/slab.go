package infer

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"
)

// slab is a piece of memory outside the Go heap, cut up into tensors.
type slab struct {
	memory []byte
	used   int
}

// align keeps every tensor on a cache line, as ONNX Runtime's kernels like it.
const align = 64

// take cuts the next n elements off the slab. The caller has asked the pool
// for enough.
func take[T any](s *slab, n int) []T {
	var zero T
	bytes := n * int(unsafe.Sizeof(zero))
	piece := s.memory[s.used : s.used+bytes]
	s.used += (bytes + align - 1) / align * align
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(piece))), n)
}

// room is the bytes a take of n elements of the given size uses up.
func room(n, size int) int { return (n*size + align - 1) / align * align }

// pool lends slabs, one to each run in progress. It keeps as many as there
// were runs at the same time.
type pool struct {
	mu   sync.Mutex
	free []*slab
}

// get is an empty slab of at least n bytes. One that is too small gives way,
// so that the pool does not gather slabs nobody can use.
func (p *pool) get(n int) (*slab, error) {
	s := p.pop()
	if s != nil && len(s.memory) >= n {
		s.used = 0
		return s, nil
	}
	if s != nil {
		if err := s.unmap(); err != nil {
			return nil, err
		}
	}
	memory, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes for tensors: %w", n, err)
	}
	return &slab{memory: memory}, nil
}

func (p *pool) pop() *slab {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return nil
	}
	s := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	return s
}

func (p *pool) put(s *slab) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, s)
}

// close unmaps every slab. All of them must have been put back.
func (p *pool) close() error {
	for s := p.pop(); s != nil; s = p.pop() {
		if err := s.unmap(); err != nil {
			return err
		}
	}
	return nil
}

func (s *slab) unmap() error {
	if err := syscall.Munmap(s.memory); err != nil {
		return fmt.Errorf("unmap tensors: %w", err)
	}
	return nil
}
