package pipeline

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestGarbageCountsTowardsTheBudget(t *testing.T) {
	const budget = 64 << 20
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	before := goMemory()
	boundHeap(budget)
	if room := debug.SetMemoryLimit(-1) - before; room < budget || room > budget+budget/4 {
		t.Errorf("the Go heap may grow by %s, the budget is %s", Bytes(room), Bytes(budget))
	}
	if before < 1<<20 || before > 1<<32 {
		t.Errorf("the Go runtime has %s", Bytes(before))
	}
}

func TestGOMEMLIMITWins(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "1TiB") // the runtime has read the real one long ago
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 40))
	boundHeap(1 << 20)
	if limit := debug.SetMemoryLimit(-1); limit != 1<<40 {
		t.Errorf("the limit is %s, GOMEMLIMIT says 1TiB", Bytes(limit))
	}
}

func TestAContainerBoundsTheHeap(t *testing.T) {
	const mib = 1 << 20
	for _, row := range []struct {
		name                   string
		now, budget, container int64
		wantLimit, wantOver    int64
	}{
		{"no container", 100 * mib, 512 * mib, math.MaxInt64, 612 * mib, 0},
		{"a container with room", 100 * mib, 512 * mib, 1024 * mib, 612 * mib, 0},
		{"a container that is too small for the budget", 100 * mib, 512 * mib, 400 * mib, 300 * mib, 312 * mib},
	} {
		if limit, over := heapLimit(row.now, row.budget, row.container); limit != row.wantLimit || over != row.wantOver {
			t.Errorf("%s: limit %s, over by %s; want %s and %s", row.name, Bytes(limit), Bytes(over), Bytes(row.wantLimit), Bytes(row.wantOver))
		}
	}
}
