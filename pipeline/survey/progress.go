package survey

import (
	"io"
	"sync"
)

// counter adds up what all readers did.
type counter struct {
	mu           sync.Mutex
	read, listed int64
	report       func(read, listed int64)
}

func (c *counter) add(read, listed int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read += read
	c.listed += listed
	c.report(c.read, c.listed)
}

// countedReads counts what is asked of a photo.
type countedReads struct {
	from  io.ReaderAt
	reads int
	bytes int64
}

// ReadAt is part of io.ReaderAt.
func (c *countedReads) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.from.ReadAt(p, off)
	c.reads++
	c.bytes += int64(n)
	return n, err
}
