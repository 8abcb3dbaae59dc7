package consumer

import (
	"encoding/binary"
	"fmt"
)

// wire reads Kafka's fixed-width fields. Once short it yields zeros.
type wire struct {
	data  []byte
	short bool
}

// take returns the next n bytes; a negative n is Kafka's null.
func (w *wire) take(n int) []byte {
	if n < 0 {
		return nil
	}
	if n > len(w.data) {
		w.short, w.data = true, nil
		return nil
	}
	b := w.data[:n:n]
	w.data = w.data[n:]
	return b
}

func (w *wire) skip(n int) { w.take(n) }

func (w *wire) int16() int16 {
	if b := w.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (w *wire) int32() int32 {
	if b := w.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (w *wire) int64() int64 {
	if b := w.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// sessionError explains an answer without the partition that was asked for: the
// broker then says why in the code of the whole answer.
func (w *wire) sessionError(f *fetched) error {
	if f.code != 0 && !w.short {
		return nil
	}
	return fmt.Errorf("%w: answer to a fetch lacks its partition", errCorrupt)
}
