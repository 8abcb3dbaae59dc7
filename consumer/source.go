package consumer

import (
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

// recordSource shows records to kafka-go's encoder, one at a time.
type recordSource struct {
	records []Record
	current protocol.Record
}

// ReadRecord implements protocol.RecordReader.
func (s *recordSource) ReadRecord() (*protocol.Record, error) {
	if len(s.records) == 0 {
		return nil, io.EOF
	}
	r := s.records[0]
	s.records = s.records[1:]
	s.current = protocol.Record{
		Time:  r.Time,
		Key:   protocol.NewBytes(r.Key),
		Value: protocol.NewBytes(r.Value),
	}
	for _, h := range r.Headers {
		s.current.Headers = append(s.current.Headers, protocol.Header{Key: h.Key, Value: h.Value})
	}
	return &s.current, nil
}
