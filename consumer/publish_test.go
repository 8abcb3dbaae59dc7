package consumer

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestPublishAndTail(t *testing.T) {
	_, c := newPair(t, 3)
	seed(t, c, input, 0, 50)
	seed(t, c, input, 50, 50)
	var got []string
	err := c.Tail(t.Context(), input, func(r Record) error {
		if got = append(got, string(r.Value)); len(got) == 100 {
			return ErrStop
		}
		return nil
	})
	slices.Sort(got)
	if err != nil || !slices.Equal(got, numbers(100)) {
		t.Fatalf("%d records, %v", len(got), err)
	}
	broken := errors.New("no")
	if err := c.Tail(t.Context(), input, func(Record) error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("%v, want the callback's error", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := c.Tail(ctx, input, func(Record) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, want the end of the context", err)
	}
}
