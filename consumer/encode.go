package consumer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/segmentio/kafka-go/protocol"
)

// batchBytes bounds the uncompressed records of one batch. Brokers accept 1 MiB
// by default (message.max.bytes), and the batch has a header.
const batchBytes = 900_000

// KafkaBatch is the largest batch that brokers accept by default, and LargestBatch
// the largest that this package writes, but for a single record that is larger.
const (
	KafkaBatch   = 1_048_588
	LargestBatch = batchBytes + 61
)

// Fields of an encoded batch, counted from the start of what RecordSet.WriteTo
// writes: four bytes of size, then the batch as the Kafka protocol guide has it.
const (
	checksumAt   = 4 + 17
	attributesAt = 4 + 21
	producerAt   = 4 + 43
	epochAt      = 4 + 51
	sequenceAt   = 4 + 53
)

// identity is who writes a batch. id -1 is a producer without one.
type identity struct {
	id            int64
	epoch         int16
	transactional bool
}

// encode renders records as one compressed batch of format 2. kafka-go renders
// the records; it writes neither a producer id nor a sequence number, so these
// are put in and the checksum is made anew.
func encode(records []Record, by identity, sequence int32) ([]byte, error) {
	attributes := protocol.Lz4
	if by.transactional {
		attributes |= protocol.Transactional
	}
	set := protocol.RecordSet{Version: 2, Attributes: attributes, Records: &recordSource{records: records}}
	var out bytes.Buffer
	if _, err := set.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	wire := out.Bytes()
	binary.BigEndian.PutUint64(wire[producerAt:], uint64(by.id))
	binary.BigEndian.PutUint16(wire[epochAt:], uint16(by.epoch))
	binary.BigEndian.PutUint32(wire[sequenceAt:], uint32(sequence))
	sum := crc32.Checksum(wire[attributesAt:], crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(wire[checksumAt:], sum)
	return wire, nil
}

// nextSequence is the sequence number after count records from sequence on. The
// broker counts from 0 again after the greatest int32.
func nextSequence(sequence int32, count int) int32 {
	return int32((int64(sequence) + int64(count)) & 0x7fffffff)
}

// cut divides records into runs that fit into one batch each. A record that is
// greater than a batch gets its own; the broker decides about it.
func cut(records []Record) [][]Record {
	var runs [][]Record
	first, size := 0, 0
	for i, r := range records {
		if n := r.size(); i > first && size+n > batchBytes {
			runs = append(runs, records[first:i])
			first, size = i, n
		} else {
			size += n
		}
	}
	return append(runs, records[first:])
}
