package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestBudgetIsFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		acquire(t, b, 6)
		var passed [3]atomic.Bool
		got := func() (list []bool) {
			synctest.Wait()
			for i := range passed {
				list = append(list, passed[i].Load())
			}
			return list
		}
		for i, n := range []int64{8, 1, 2} { // 1 and 2 would fit now, but 8 came first
			go func() {
				acquire(t, b, n)
				passed[i].Store(true)
			}()
			synctest.Wait()
		}
		if list := got(); !slices.Equal(list, []bool{false, false, false}) || !b.Spent() {
			t.Fatalf("while 6 are held the claims of 8, 1 and 2 passed: %v; spent is %v", list, b.Spent())
		}
		b.Release(6)
		if list := got(); !slices.Equal(list, []bool{true, true, false}) || b.Used() != 9 {
			t.Fatalf("after the release the claims of 8, 1 and 2 passed: %v, used %d", list, b.Used())
		}
		b.Release(9)
		if list := got(); !list[2] || b.Used() != 2 || b.Spent() {
			t.Errorf("2 passed: %v, used %d, spent %v", list[2], b.Used(), b.Spent())
		}
	})
}

func TestBudgetLetsTheGreatestClaimPassAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		acquire(t, b, 25) // nothing is held: it must be able to go on
		var passed atomic.Bool
		go func() {
			acquire(t, b, 25)
			passed.Store(true)
		}()
		synctest.Wait()
		if passed.Load() {
			t.Fatal("two claims beyond the total are held at the same time")
		}
		b.Release(25)
		synctest.Wait()
		if !passed.Load() || b.Used() != 25 {
			t.Errorf("passed %v, used %d", passed.Load(), b.Used())
		}
	})
}

func TestBudgetGrowsWithoutWaiting(t *testing.T) {
	b := NewBudget(10)
	acquire(t, b, 10)
	b.Grow(5) // must return: only its holder can end the shortage
	if b.Used() != 15 || !b.Spent() || b.Total() != 10 {
		t.Errorf("used %d of %d, spent %v", b.Used(), b.Total(), b.Spent())
	}
	b.Release(15)
	if b.Used() != 0 || b.Spent() {
		t.Errorf("used %d, spent %v after the release", b.Used(), b.Spent())
	}
}

func TestBudgetForgetsWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, because := NewBudget(10), errors.New("taken away")
		acquire(t, b, 8)
		ctx, leave := context.WithCancelCause(t.Context())
		left := make(chan error, 1)
		go func() { left <- b.Acquire(ctx, 9) }()
		synctest.Wait()
		var passed atomic.Bool
		go func() {
			acquire(t, b, 2) // fits, behind one that does not
			passed.Store(true)
		}()
		synctest.Wait()
		if passed.Load() {
			t.Fatal("2 passed 9, which came first")
		}
		leave(because)
		synctest.Wait()
		if err := <-left; !errors.Is(err, because) || !passed.Load() || b.Used() != 10 {
			t.Errorf("left with %v, the next passed: %v, used %d", err, passed.Load(), b.Used())
		}
		if err := b.Acquire(ctx, 0); !errors.Is(err, because) {
			t.Errorf("acquired with a context that had ended: %v", err)
		}
	})
}

// TestBudgetTakesBackWhatCameTooLate lets the grant and the end of the context happen at the same moment, as often as it
// takes for both outcomes to be seen.
func TestBudgetTakesBackWhatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcomes := make(map[bool]int)
		for len(outcomes) < 2 && outcomes[true]+outcomes[false] < 1000 {
			b := NewBudget(10)
			acquire(t, b, 10)
			ctx, leave := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- b.Acquire(ctx, 7) }()
			synctest.Wait()
			b.Release(10)
			leave()
			err := <-ended
			if held := b.Used(); err == nil && held != 7 || err != nil && held != 0 {
				t.Fatalf("acquire ended with %v and holds %d", err, held)
			}
			outcomes[err == nil]++
		}
		if len(outcomes) < 2 {
			t.Errorf("only one of the two was ever seen: %v", outcomes)
		}
	})
}

func TestBudgetRefusesBadSums(t *testing.T) {
	for name, f := range map[string]func(*Budget){
		"release more than held": func(b *Budget) { b.Release(1) },
		"release less than zero": func(b *Budget) { b.Release(-1) },
		"grow by less than zero": func(b *Budget) { b.Grow(-1) },
		"acquire less than zero": func(b *Budget) { _ = b.Acquire(t.Context(), -1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f(NewBudget(10))
		}()
	}
}

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

func acquire(t *testing.T, b *Budget, n int64) {
	t.Helper()
	if err := b.Acquire(t.Context(), n); err != nil {
		t.Errorf("acquire %d: %v", n, err)
	}
}
