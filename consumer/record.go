package consumer

import "time"

// Header is one header of a record. A nil Value is Kafka's null, which is not
// the same as an empty value.
type Header struct {
	Key   string
	Value []byte
}

// Record is one Kafka record, read or to be written.
//
// Key and Value are nil for Kafka's null. In a record that was read they alias
// the batch they came in: keep a copy, not the record, where a few bytes of many
// batches have to be remembered.
type Record struct {
	Topic string
	// Partition of an output record may be -1: the murmur2 hash of its key
	// decides, as in Kafka's own producers. A record without a key then goes to
	// the partition with the number of its input partition, modulo their count.
	Partition int
	// Offset is set by the broker and ignored in output records.
	Offset int64
	// Time has Kafka's resolution of one millisecond. The zero time in an
	// output record means now.
	Time    time.Time
	Key     []byte
	Value   []byte
	Headers []Header
}

// size estimates the bytes that r adds to an uncompressed batch. The varints of
// one record never take more than the constant.
func (r Record) size() int {
	n := 40 + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += 10 + len(h.Key) + len(h.Value)
	}
	return n
}
