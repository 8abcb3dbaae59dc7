package pipeline

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// boundHeap makes the garbage collector keep this process, C memory and decoder processes aside, below what it takes now
// and the budget. By itself the collector lets garbage grow to the size of what is in use, so that a spent budget would
// take twice its bytes. Who sets GOMEMLIMIT has decided otherwise. What it returns is by how many bytes the budget is more
// than this process's container has room for; 0 if there is room, or no container.
func boundHeap(budget int64) (over int64) {
	container := int64(math.MaxInt64)
	if bytes, err := memlimit.FromCgroup(); err == nil && bytes < math.MaxInt64 {
		container = int64(bytes)
	}
	limit, over := heapLimit(goMemory(), budget, container)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
	return over
}

// heapLimit is what the Go heap may take when it takes now, in a container of so many bytes. A quarter of a container is left
// for what Go does not see: the network and the decoder processes.
func heapLimit(now, budget, container int64) (limit, over int64) {
	room := container - container/4
	limit = now + budget
	return min(limit, room), max(limit-room, 0)
}

// goMemory is what the Go runtime has from the system now, in bytes: what its memory limit counts.
func goMemory() int64 {
	of := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(of)
	return int64(of[0].Value.Uint64() - of[1].Value.Uint64())
}
