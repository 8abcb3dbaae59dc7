package divide

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// runLength is how many keys a worker sorts at once: 32 MB of them.
const runLength = 4 << 20

// runs are the sorted runs of all workers, in memory until there are more than
// fit, then on disk.
type runs struct {
	most int64  // bytes of keys to hold in memory
	dir  string // where to spill, "" for the system's own

	mu      sync.Mutex
	held    [][]uint64
	bytes   int64
	spilled []*os.File
}

// add sorts a worker's keys and takes them over.
func (r *runs) add(keys []uint64) error {
	slices.Sort(keys)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, keys)
	r.bytes += 8 * int64(len(keys))
	if r.bytes <= r.most {
		return nil
	}
	return r.spill()
}

// spill merges everything held into one file: few long files can be merged at
// once, thousands of short ones could not even be open.
func (r *runs) spill() error {
	file, err := os.CreateTemp(r.dir, "planetag-cells-*")
	if err != nil {
		return fmt.Errorf("make room for points: %w", err)
	}
	// Nobody else needs the name, and without one nothing is left behind,
	// however the program ends.
	if err := os.Remove(file.Name()); err != nil {
		return errors.Join(fmt.Errorf("make room for points: %w", err), file.Close())
	}
	r.spilled = append(r.spilled, file)
	out := bufio.NewWriterSize(file, 1<<20)
	var word [8]byte
	err = merge(r.cursors(), func(key uint64) error {
		binary.LittleEndian.PutUint64(word[:], key)
		_, err := out.Write(word[:])
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("move points to disk: %w", err)
	}
	r.held, r.bytes = nil, 0
	return nil
}

// cursors are the held runs, at their starts.
func (r *runs) cursors() []cursor {
	var all []cursor
	for _, keys := range r.held {
		if len(keys) > 0 {
			all = append(all, cursor{keys: keys})
		}
	}
	return all
}

// each calls do for every key in ascending order.
func (r *runs) each(do func(key uint64) error) error {
	all := r.cursors()
	for _, file := range r.spilled {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read points back: %w", err)
		}
		c := cursor{file: bufio.NewReaderSize(file, 1<<20), ahead: make([]uint64, 0, 1<<13)}
		if err := c.refill(); err != nil {
			return err
		}
		all = append(all, c)
	}
	return merge(all, do)
}

// close lets the files go.
func (r *runs) close() error {
	var all []error
	for _, file := range r.spilled {
		all = append(all, file.Close())
	}
	return errors.Join(all...)
}

// cursor is a sorted run and how far it was read.
type cursor struct {
	keys  []uint64 // what is left, of a file what is left of ahead
	file  io.Reader
	ahead []uint64
}

// refill reads ahead. At the end of the file no keys are left.
func (c *cursor) refill() error {
	if c.file == nil {
		c.keys = nil
		return nil
	}
	var block [8 << 13]byte
	n, err := io.ReadFull(c.file, block[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read points back: %w", err)
	}
	c.keys = c.ahead[:0]
	for i := 0; i+8 <= n; i += 8 {
		c.keys = append(c.keys, binary.LittleEndian.Uint64(block[i:]))
	}
	return nil
}
