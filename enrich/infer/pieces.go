package infer

import (
	"context"
	"math"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// next is how many of n photos are computed at once, and in how many rows. A GPU
// pays for every shape it has not seen, so there the rows are one of the batch
// sizes, and some of them black; a CPU computes what there is, in pieces.
func (c *CNN) next(n int) (photos, rows int) {
	allowed := c.sizes.allowed()
	if c.gpu {
		rows = bucketFor(allowed, n)
		return min(rows, n), rows
	}
	rows = min(c.piece, allowed[len(allowed)-1], n)
	return rows, rows
}

// bucketFor is the batch size to run next with n photos waiting: the smallest
// that holds all of them if at most a quarter of it would be padding, else the
// greatest that they fill. Buckets start at 1, so there always is one.
func bucketFor(buckets []int, n int) int {
	full := buckets[0]
	for _, b := range buckets {
		if b >= n && 4*(b-n) <= b {
			return b
		}
		if b <= n {
			full = b
		}
	}
	return full
}

// cheapest is the size of a piece: of the sizes that the bundle names the one that
// costs the least processor time a photo here. Small pieces stay in the cache, a
// wide head is read once for a whole piece; which of the two weighs more differs
// with graph and processor. A greater size wins a tie within the noise.
func (c *CNN) cheapest() (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const repeats, noise, enough = 3, 1.02, 2 * time.Second
	const look = 50 * time.Millisecond // at each size: three runs of a single photo are over before whatever else begins with a worker is
	clock := threadTime
	if c.gpu {
		clock = func() time.Duration { return time.Duration(time.Now().UnixNano()) }
	}
	best, least, started := 1, math.Inf(1), time.Now()
	for _, size := range c.spec.Buckets {
		if !c.gpu && time.Since(started) > enough {
			break // a large network: a batch of a hundred photos would take minutes, and a GPU alone needs to have seen every size
		}
		photos := slices.Repeat([][]byte{make([]byte, c.spec.Size*c.spec.Size*3)}, size)
		c.piece = size
		took, first := math.Inf(1), time.Now()
		for n := 0; n < repeats || time.Since(first) < look; n++ {
			began := clock()
			if _, err := c.Run(context.Background(), photos); err != nil {
				return 0, err
			}
			took = min(took, float64(clock()-began)/float64(size))
		}
		if took <= least*noise {
			best, least = size, min(took, least)
		}
	}
	c.cost = least
	return best, nil
}

// threadTime is what the calling thread has had of the processor.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return time.Duration(time.Now().UnixNano()) // a system without such a clock: the wall's
	}
	return time.Duration(t.Nano())
}
