package pipeline

import (
	"container/list"
	"context"
	"fmt"
	"sync"
)

// Budget is the one back-pressure of the worker: a number of bytes that fetched objects, decoded slots, open batches and
// open albums share. Whoever starts something new waits in Acquire; when the budget is spent, nobody fetches.
//
// It cannot deadlock, by two rules. Acquire lets the first in line pass when nothing is held, even if its wish is greater
// than the whole budget. And whoever already holds a part may Grow it without waiting, because it must be able to finish
// before anything is released; so Used may exceed Total by what the holders of the moment turned out to need.
type Budget struct {
	total int64

	mu   sync.Mutex
	used int64
	line list.List // of *claim, first come first served: a great claim is not starved by small ones
}

// claim is one caller of Acquire that waits.
type claim struct {
	bytes   int64
	granted chan struct{}
}

// NewBudget returns a budget of the given number of bytes.
func NewBudget(bytes int64) *Budget { return &Budget{total: bytes} }

// Acquire takes n bytes. It waits until they fit or nothing else is held, behind all who came earlier. When ctx ends
// first, nothing was taken and the error is the reason why ctx ended.
func (b *Budget) Acquire(ctx context.Context, n int64) error {
	if n < 0 {
		panic(fmt.Sprintf("internal error: acquire %d bytes", n))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.mu.Lock()
	if b.line.Len() == 0 && b.fits(n) {
		b.used += n
		b.mu.Unlock()
		return nil
	}
	c := &claim{bytes: n, granted: make(chan struct{})}
	place := b.line.PushBack(c)
	b.mu.Unlock()

	select {
	case <-c.granted:
		return nil
	case <-ctx.Done():
		b.withdraw(c, place)
		return context.Cause(ctx)
	}
}

// Grow takes n bytes more for a caller that already holds some. It never waits: see Budget.
func (b *Budget) Grow(n int64) {
	if n < 0 {
		panic(fmt.Sprintf("internal error: grow by %d bytes", n))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += n
}

// Release gives n bytes back and lets those pass who now fit.
func (b *Budget) Release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n < 0 || n > b.used {
		panic(fmt.Sprintf("internal error: release %d of %d bytes", n, b.used))
	}
	b.used -= n
	b.advance()
}

// Used is the number of bytes held now.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Total is the number of bytes the budget was made for.
func (b *Budget) Total() int64 { return b.total }

// Spent says whether a new claim of even one byte would have to wait.
func (b *Budget) Spent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.line.Len() > 0 || !b.fits(1)
}

func (b *Budget) fits(n int64) bool { return b.used == 0 || b.used+n <= b.total }

// advance grants from the head of the line for as long as the head fits. The caller holds mu.
func (b *Budget) advance() {
	for head := b.line.Front(); head != nil; head = b.line.Front() {
		c := head.Value.(*claim)
		if !b.fits(c.bytes) {
			return
		}
		b.used += c.bytes
		b.line.Remove(head)
		close(c.granted)
	}
}

// withdraw takes a claim out of the line, or gives its bytes back when it was granted at the last moment.
func (b *Budget) withdraw(c *claim, place *list.Element) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-c.granted:
		b.used -= c.bytes
	default:
		b.line.Remove(place)
	}
	b.advance() // the next in line may fit where this one did not
}
