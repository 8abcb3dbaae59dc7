package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// TestBudgetTakesBackWhatCameTooLate lets the grant and the end of the context happen before the waiter runs again, in
// both orders: whichever it sees, nothing is held by nobody.
func TestBudgetTakesBackWhatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcomes := make(map[bool]int)
		for round := range 20 {
			b := NewBudget(10)
			acquire(t, b, 10)
			ctx, leave := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- b.Acquire(ctx, 7) }()
			synctest.Wait()
			if round%2 == 0 {
				b.Release(10)
				leave()
			} else {
				leave()
				b.Release(10)
			}
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

func acquire(t *testing.T, b *Budget, n int64) {
	t.Helper()
	if err := b.Acquire(t.Context(), n); err != nil {
		t.Errorf("acquire %d: %v", n, err)
	}
}
