package bench

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Decoders start with the first photos, may be replaced later on, and are seldom looked for while nothing changes.
func TestChildrenAreLookedForWhileTheyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f family
		looks := 0
		for _, moment := range []struct {
			what  string
			after time.Duration
			times int
			pids  []int
			looks int  // that these times took
			stale bool // not yet known
		}{
			{"none yet", 0, 2, nil, 2, false},
			{"the first decoder", 0, 1, []int{7}, 1, false},
			{"the second one", 0, 1, []int{7, 8}, 1, false},
			{"both at work", 0, 50, []int{7, 8}, 4, false},
			{"one replaced", 0, 50, []int{7, 9}, 0, true},
			{"a second later", time.Second, 1, []int{7, 9}, 1, false},
			{"at work again", 0, 50, []int{7, 9}, 4, false},
		} {
			time.Sleep(moment.after)
			looks = 0
			for range moment.times {
				got := f.of(1, func(int) []int { looks++; return moment.pids })
				if slices.Equal(got, moment.pids) == moment.stale {
					t.Errorf("%s: children are %v, of %v", moment.what, got, moment.pids)
				}
			}
			if looks != moment.looks {
				t.Errorf("%s: %d looks, want %d", moment.what, looks, moment.looks)
			}
		}
	})
}
