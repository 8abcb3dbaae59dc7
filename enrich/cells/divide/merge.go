package divide

// merge calls do for the keys of all cursors in ascending order. It is a heap of
// cursors by their next key; container/heap would spend most of its time in
// calls through an interface.
func merge(heap []cursor, do func(key uint64) error) error {
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
	for len(heap) > 0 {
		top := &heap[0]
		// As long as the first run is the smallest, nothing moves.
		next := ^uint64(0)
		for _, child := range heap[1:min(3, len(heap))] {
			next = min(next, child.keys[0])
		}
		for len(top.keys) > 0 && top.keys[0] <= next {
			if err := do(top.keys[0]); err != nil {
				return err
			}
			top.keys = top.keys[1:]
		}
		if len(top.keys) == 0 {
			if err := top.refill(); err != nil {
				return err
			}
		}
		if len(top.keys) == 0 {
			last := len(heap) - 1
			heap[0] = heap[last]
			heap = heap[:last]
		}
		sink(heap, 0)
	}
	return nil
}

// sink moves the cursor at i below those with smaller keys.
func sink(heap []cursor, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if heap[child].keys[0] < heap[least].keys[0] {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
