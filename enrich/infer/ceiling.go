package infer

import (
	"errors"
	"strings"
	"sync"
)

// ErrMemory says that the device had no room for even one photo. It may have some
// when others have left.
var ErrMemory = errors.New("accelerator is out of memory")

// patience is how many calls at the ceiling go well before it is raised.
const patience = 1000

// ceiling is the batch size that the device has room for: it falls to the next
// smaller one when a batch does not fit, and rises by one after a long calm.
// The GPU may be shared, so neither is for ever.
type ceiling struct {
	mu      sync.Mutex
	buckets []int // ascending
	lost    int   // of the largest ones
	calm    int   // calls since the last loss
}

// allowed are the batch sizes to use, ascending; at least the smallest.
func (c *ceiling) allowed() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buckets[:len(c.buckets)-c.lost]
}

// limit is the largest batch size to use; 0 while that is the largest there is.
func (c *ceiling) limit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost == 0 {
		return 0
	}
	return c.buckets[len(c.buckets)-c.lost-1]
}

// lower gives up a batch size that did not fit, and all above; false means that
// there is none below.
func (c *ceiling) lower(bucket int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.buckets)-c.lost > 1 && c.buckets[len(c.buckets)-c.lost-1] >= bucket {
		c.lost++
	}
	c.calm = 0
	return c.buckets[0] < bucket
}

// fitted counts a batch that did fit.
func (c *ceiling) fitted(bucket int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost == 0 || bucket < c.buckets[len(c.buckets)-c.lost-1] {
		return
	}
	if c.calm++; c.calm >= patience {
		c.lost, c.calm = c.lost-1, 0
	}
}

// outOfMemory says whether ONNX Runtime, CUDA, cuBLAS or cuDNN had no room.
func outOfMemory(err error) bool {
	if err == nil {
		return false
	}
	text := strings.ToLower(err.Error())
	for _, words := range []string{"out of memory", "failed to allocate memory", "alloc_failed", "allocation_failed"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
