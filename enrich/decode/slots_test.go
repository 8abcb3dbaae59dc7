package decode

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestSlotsLendAndTakeBack(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := newSlots(t, 2, 5000)
	defer s.Close()
	a, b := get(t, s), get(t, s)
	a[0], a[4999], b[0], b[4999] = 1, 2, 3, 4
	if a[0] != 1 || a[4999] != 2 || len(a) != 5000 || cap(a) != 5000 {
		t.Errorf("slot a holds %d … %d, length %d, capacity %d", a[0], a[4999], len(a), cap(a))
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("third of two slots: %v, want the deadline", err)
	}
	s.Put(a)
	if c := get(t, s); &c[0] != &a[0] {
		t.Error("the slot put back is not the one lent next")
	}
}

func TestSlotsWaitForOneAnother(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := newSlots(t, 1, 1)
	defer s.Close()
	slot := get(t, s)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		got, err := s.Get(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		s.Put(got)
	})
	time.Sleep(time.Millisecond)
	s.Put(slot)
}

// What is put back must be what was lent, or two photos would share pixels.
func TestSlotsRefuseStrangers(t *testing.T) {
	s := newSlots(t, 2, 100)
	defer s.Close()
	lent, idle := get(t, s), get(t, s)
	s.Put(idle)
	for name, slot := range map[string][]byte{
		"nothing":               nil,
		"memory of Go":          make([]byte, 100),
		"the middle of a slot":  lent[1:],
		"half a slot":           lent[:50],
		"a slot already back":   idle,
		"one past another slot": lent[4:10],
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			s.Put(slot)
		}()
	}
	s.Put(lent)
}

// A slot on loan outlives Close: the C call that fills it cannot be told.
func TestSlotsCloseWaitsForLoans(t *testing.T) {
	s := newSlots(t, 2, 4096)
	lent := get(t, s)
	s.Close()
	s.Close()
	lent[4095] = 1 // would be a fault had it been unmapped
	if _, err := s.Get(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("get after close: %v, want ErrClosed", err)
	}
	s.Put(lent)
	if s.mem != nil {
		t.Error("still mapped after the last put")
	}
}

func TestSlotsStopWins(t *testing.T) {
	s := newSlots(t, 1, 1)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if _, err := s.Get(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("get of a cancelled caller: %v", err)
		}
	}
}

func TestNewSlotsRefusesNonsense(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {1, 0}, {-1, -1}} {
		if _, err := NewSlots(c[0], c[1]); err == nil {
			t.Errorf("%d slots of %d bytes were made", c[0], c[1])
		}
	}
}

// However loans and returns interleave, no two loans ever overlap.
func TestSlotsNeverOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, bytes := rapid.IntRange(1, 8).Draw(t, "slots"), rapid.IntRange(1, 9000).Draw(t, "bytes")
		s, err := NewSlots(n, bytes)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var lent [][]byte
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(lent) < n && (len(lent) == 0 || rapid.Bool().Draw(t, "get")) {
				slot, err := s.Get(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				slot[0], slot[bytes-1] = byte(i), byte(i)
				lent = append(lent, slot)
			} else {
				k := rapid.IntRange(0, len(lent)-1).Draw(t, "put")
				if lent[k][0] != lent[k][bytes-1] {
					t.Fatalf("slot was written by two: %d and %d", lent[k][0], lent[k][bytes-1])
				}
				s.Put(lent[k])
				lent = append(lent[:k], lent[k+1:]...)
			}
		}
		for _, slot := range lent {
			s.Put(slot)
		}
	})
}

func newSlots(t *testing.T, n, bytes int) *Slots {
	t.Helper()
	s, err := NewSlots(n, bytes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, s *Slots) []byte {
	t.Helper()
	slot, err := s.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slot
}
