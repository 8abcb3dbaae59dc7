package consumer

import "slices"

// visible decodes the batches of an answer from position on and leaves out what
// a read_committed reader must not see. next is the offset after the last batch,
// whatever it held; it is position when no batch came as a whole.
//
// The rule is that of Kafka's own consumer: the broker lists the aborted
// transactions that overlap the answer; each begins to count at its first offset
// and ends with the producer's abort marker.
func (f *fetched) visible(from topicPartition, position int64) (records []Record, next int64, err error) {
	slices.SortFunc(f.aborted, func(a, b aborted) int { return int(min(max(a.first-b.first, -1), 1)) })
	hidden := make(map[int64]bool)
	waiting, data := f.aborted, f.data
	next = position
	for {
		b, rest, whole, err := cutBatch(data)
		if err != nil && next > position {
			return records, next, nil // the good part first, the error with the next fetch
		}
		if err != nil || !whole {
			return records, next, err
		}
		data = rest
		for len(waiting) > 0 && waiting[0].first <= b.last {
			hidden[waiting[0].producer] = true
			waiting = waiting[1:]
		}
		switch {
		case b.last < position: // compaction left it, a fetch begins with whole batches
		case b.control():
			// An abort marker ends what is hidden. After a commit marker nothing
			// of the producer is hidden, so that it need not be told apart.
			delete(hidden, b.producer)
		case b.transactional() && hidden[b.producer]:
		default:
			grown, err := b.records(records, from.topic, int(from.partition), position)
			if err != nil && next > position {
				return records, next, nil
			}
			if err != nil {
				return nil, position, err
			}
			records = grown
		}
		next = max(next, b.last+1)
	}
}
