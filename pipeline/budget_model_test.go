package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestBudgetAgainstAModel plays random claims, growth, releases and departures against the plainest description of what a
// budget is: a line and a sum.
func TestBudgetAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 100).Draw(t, "total")
		b := NewBudget(total)
		m := &budgetModel{t: t, b: b, total: total}
		defer m.leaveAll()
		t.Repeat(map[string]func(*rapid.T){
			"acquire": m.acquire, "release": m.release, "grow": m.grow, "leave": m.leave, "": m.check,
		})
	})
}

type budgetModel struct {
	t       *rapid.T
	b       *Budget
	total   int64
	held    []*modelClaim
	waiting []*modelClaim
}

type modelClaim struct {
	n     int64
	leave context.CancelFunc
	ended chan error
}

func (m *budgetModel) used() (sum int64) {
	for _, c := range m.held {
		sum += c.n
	}
	return sum
}

// settle moves those who must now hold their bytes, and waits until they do.
func (m *budgetModel) settle() {
	for len(m.waiting) > 0 && (m.used() == 0 || m.used()+m.waiting[0].n <= m.total) {
		c := m.waiting[0]
		m.waiting = m.waiting[1:]
		if err := <-c.ended; err != nil {
			m.t.Fatalf("claim of %d ended with %v", c.n, err)
		}
		m.held = append(m.held, c)
	}
}

func (m *budgetModel) acquire(t *rapid.T) {
	c := &modelClaim{n: rapid.Int64Range(0, 120).Draw(t, "claim"), ended: make(chan error, 1)}
	ctx, leave := context.WithCancel(context.Background())
	c.leave = leave
	before := m.inLine()
	go func() { c.ended <- m.b.Acquire(ctx, c.n) }()
	m.waiting = append(m.waiting, c)
	// Wait until the claim either passed or stands in line, so that the order is the model's.
	for len(c.ended) == 0 && m.inLine() == before {
		time.Sleep(10 * time.Microsecond)
	}
	m.settle()
}

func (m *budgetModel) inLine() int {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	return m.b.line.Len()
}

func (m *budgetModel) release(t *rapid.T) {
	if len(m.held) == 0 {
		return
	}
	at := rapid.IntRange(0, len(m.held)-1).Draw(t, "who")
	c := m.held[at]
	m.held = slices.Delete(m.held, at, at+1)
	m.b.Release(c.n)
	m.settle()
}

func (m *budgetModel) grow(t *rapid.T) {
	if len(m.held) == 0 {
		return
	}
	n := rapid.Int64Range(0, 50).Draw(t, "more")
	m.held[0].n += n
	m.b.Grow(n)
}

func (m *budgetModel) leave(t *rapid.T) {
	if len(m.waiting) == 0 {
		return
	}
	at := rapid.IntRange(0, len(m.waiting)-1).Draw(t, "who")
	c := m.waiting[at]
	m.waiting = slices.Delete(m.waiting, at, at+1)
	c.leave()
	if err := <-c.ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("claim of %d left with %v", c.n, err)
	}
	m.settle()
}

func (m *budgetModel) check(t *rapid.T) {
	if got := m.b.Used(); got != m.used() {
		t.Fatalf("used %d, the model says %d", got, m.used())
	}
	for _, c := range m.waiting {
		if len(c.ended) != 0 {
			t.Fatalf("claim of %d passed with %d of %d used and others before it", c.n, m.used(), m.total)
		}
	}
}

func (m *budgetModel) leaveAll() {
	for _, c := range m.waiting {
		c.leave()
		<-c.ended
	}
}
