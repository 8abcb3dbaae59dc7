package consumer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestLookShowsARangeAndEnds(t *testing.T) {
	_, c := newPair(t, 1)
	seed(t, c, input, 0, 50)
	for _, row := range []struct {
		name  string
		which Range
		want  []string
	}{
		{"everything", Range{}, numbers(50)},
		{"from an offset", Range{From: 47}, []string{"47", "48", "49"}},
		{"the last few", Range{Last: 2}, []string{"48", "49"}},
		{"more than there are", Range{Last: 500}, numbers(50)},
		{"from beyond the end", Range{From: 900}, nil},
		{"only what comes, and nothing comes", Range{New: true}, nil},
	} {
		var got []string
		err := c.Look(t.Context(), input, row.which, func(r Record) error { got = append(got, string(r.Value)); return nil })
		slices.Sort(got)
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, %v; want %v", row.name, got, err, row.want)
		}
	}
	broken := errors.New("no")
	if err := c.Look(t.Context(), input, Range{}, func(Record) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want the callback's error", err)
	}
}

func TestLookFollowsUntilItIsToldToStop(t *testing.T) {
	_, c := newPair(t, 3)
	seed(t, c, input, 0, 50)
	began := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var seeding sync.WaitGroup
	seeding.Go(func() {
		<-began
		seed(t, c, input, 50, 10)
	})
	var got []string
	err := c.Look(ctx, input, Range{Follow: true}, func(r Record) error {
		if got = append(got, string(r.Value)); len(got) == 50 {
			close(began)
		}
		if len(got) == 60 {
			return ErrStop
		}
		return nil
	})
	seeding.Wait()
	slices.Sort(got)
	if err != nil || !slices.Equal(got, numbers(60)) {
		t.Errorf("%d records, %v", len(got), err)
	}
	cancel()
	if err := c.Look(ctx, input, Range{New: true, Follow: true}, func(Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the end of the context", err)
	}
}

// What an open transaction has written is nobody's business, and no reason to wait for its end.
func TestLookDoesNotWaitForAnOpenTransaction(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 5)
	other, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.TransactionalID("somebody-else"), kgo.DefaultProduceTopic(input))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := other.ProduceSync(t.Context(), kgo.StringRecord("unseen")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var got []string
	err = c.Look(t.Context(), input, Range{}, func(r Record) error { got = append(got, string(r.Value)); return nil })
	if err != nil || !slices.Equal(got, numbers(5)) {
		t.Errorf("%v, %v", got, err)
	}
}
