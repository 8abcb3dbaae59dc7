package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memory watches how much a process and all of its descendants hold.
type memory struct {
	mu        sync.Mutex
	pid       int
	now, peak int64 // bytes resident, shared pages once for each process
	share     int64 // the same with shared pages once for all, at the peak
	processes int   // most at a time
	children  map[int]bool
}

// watch samples ten times a second until ctx ends.
func (m *memory) watch(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.sample()
		}
	}
}

// follow makes pid the process that is watched.
func (m *memory) follow(pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pid = pid
}

func (m *memory) sample() {
	m.mu.Lock()
	defer m.mu.Unlock()
	family := descendants(m.pid)
	m.now = 0
	for _, pid := range family {
		m.now += resident(pid)
		if pid != m.pid {
			m.children[pid] = true
		}
	}
	m.processes = max(m.processes, len(family))
	if m.now > m.peak {
		m.peak, m.share = m.now, 0
		for _, pid := range family {
			m.share += proportional(pid)
		}
	}
}

// figures are resident memory now and at most, the proportional share at that peak, and the children seen: at a time, and altogether.
func (m *memory) figures() (now, peak, share int64, most, seen int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now, m.peak, m.share, max(m.processes-1, 0), len(m.children)
}

// descendants are pid and everything that it, or what it started, has started and that still runs.
func descendants(pid int) []int {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for _, dir := range dirs {
		child, err := strconv.Atoi(dir.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		if err != nil { // it has ended
			continue
		}
		// The name in parentheses may hold anything; the parent is the second word behind it.
		if words := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])); len(words) > 1 {
			parent, _ := strconv.Atoi(words[1])
			children[parent] = append(children[parent], child)
		}
	}
	family := []int{pid}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	return family
}

// resident is the memory that a process has in RAM, 0 when it has ended.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if words := strings.Fields(string(text)); err == nil && len(words) > 1 {
		pages, _ := strconv.ParseInt(words[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

// proportional is the same with each page divided by the number of processes that share it.
func proportional(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "Pss:" {
			kilobytes, _ := strconv.ParseInt(words[1], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
