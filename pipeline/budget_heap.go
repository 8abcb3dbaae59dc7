package pipeline

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// boundHeap makes the garbage collector keep this process, C memory and decoder processes aside, below what it takes now
// and the budget. By itself the collector lets garbage grow to the size of what is in use, so that a spent budget would
// take twice its bytes. Who sets GOMEMLIMIT has decided otherwise.
func boundHeap(budget int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(goMemory() + budget)
	}
}

// goMemory is what the Go runtime has from the system now, in bytes: what its memory limit counts.
func goMemory() int64 {
	of := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(of)
	return int64(of[0].Value.Uint64() - of[1].Value.Uint64())
}
