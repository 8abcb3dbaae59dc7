package divide

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ErrInput says that a file or a column of it cannot be read.
var ErrInput = errors.New("cannot read coordinates")

// ErrRows says that too many rows hold no position. The message names the first
// of them.
var ErrRows = errors.New("rows are not positions")

// namedRows is how many bad rows are named; the others are a number.
const namedRows = 5

// reasonEmpty is that of a row without a position. Such rows are not bad: a
// manifest of all photos has those of photos that do not know where they are.
const reasonEmpty = "empty"

// String is the row and what is wrong with it, in one line.
func (b BadRow) String() string {
	if b.Text == "" {
		return fmt.Sprintf("%s row %d: %s", b.File, b.Row, b.Reason)
	}
	return fmt.Sprintf("%s row %d: %s: %s", b.File, b.Row, b.Reason, b.Text)
}

// Bad counts rows that hold no position.
type Bad struct {
	Rows    int64            `json:"rows"`
	Reasons map[string]int64 `json:"reasons,omitempty"`
	First   []BadRow         `json:"first,omitempty"`
	Empty   int64            `json:"empty,omitempty"` // rows without a position, not among Rows
	swapped int64            // would be positions with latitude and longitude exchanged
}

// tally collects what all workers found.
type tally struct {
	mu   sync.Mutex
	bad  Bad
	rows int64
}

// add takes a worker's counts of one unit.
func (t *tally) add(rows int64, bad []BadRow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows += rows
	all := len(bad)
	bad = slices.DeleteFunc(bad, func(b BadRow) bool { return b.Reason == reasonEmpty })
	t.bad.Empty += int64(all - len(bad))
	for _, b := range bad {
		if t.bad.Reasons == nil {
			t.bad.Reasons = map[string]int64{}
		}
		t.bad.Rows++
		t.bad.Reasons[b.Reason]++
		if b.swap {
			t.bad.swapped++
		}
	}
	// The first of all, whoever found them when.
	first := append(t.bad.First, bad[:min(namedRows, len(bad))]...)
	slices.SortFunc(first, func(a, b BadRow) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row)) })
	t.bad.First = first[:min(namedRows, len(first))]
}

// check refuses a share of bad rows above most, and input without a position.
func (t *tally) check(most float64) error {
	all := t.rows + t.bad.Rows
	switch {
	case t.rows > 0 && float64(t.bad.Rows) <= most*float64(all):
		return nil
	case all == 0 && t.bad.Empty > 0:
		return fmt.Errorf("%w: none of %d rows has a position", ErrInput, t.bad.Empty)
	case all == 0:
		return fmt.Errorf("%w: there is not a single row", ErrInput)
	}
	var named []string
	for _, b := range t.bad.First {
		named = append(named, "  "+b.String())
	}
	remedy := "mend the input, or allow more with --max-bad"
	if 2*t.bad.swapped > t.bad.Rows && t.bad.swapped > 1 {
		remedy = "most would be positions with latitude and longitude exchanged: are the columns swapped?"
	}
	return fmt.Errorf("%w: %d of %d, %s\n%s", ErrRows, t.bad.Rows, all, remedy, strings.Join(named, "\n"))
}
