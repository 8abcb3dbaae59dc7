package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"planetag/enrich"
)

// wireWriter appends the fields of a record. The first error sticks.
type wireWriter struct {
	out []byte
	err error
}

func newWriter(kind byte, size int) *wireWriter {
	return &wireWriter{out: append(append(make([]byte, 0, size), wireMagic...), wireVersion, kind)}
}

func (w *wireWriter) done() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.out, nil
}

func (w *wireWriter) byte(b byte)   { w.out = append(w.out, b) }
func (w *wireWriter) int(v int64)   { w.out = binary.AppendVarint(w.out, v) }
func (w *wireWriter) count(n int)   { w.out = binary.AppendUvarint(w.out, uint64(n)) }
func (w *wireWriter) text(s string) { w.count(len(s)); w.out = append(w.out, s...) }
func (w *wireWriter) float(f float64) {
	w.out = binary.LittleEndian.AppendUint64(w.out, math.Float64bits(f))
}

func (w *wireWriter) bool(b bool) {
	if b {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

// time keeps the whole range of time.Time; the zero time is a flag of its own.
func (w *wireWriter) time(t time.Time) {
	w.bool(!t.IsZero())
	if !t.IsZero() {
		w.int(t.Unix())
		w.count(t.Nanosecond())
	}
}

func (w *wireWriter) reference(ref Reference) {
	for _, s := range []string{ref.PhotoID, ref.Bucket, ref.Key, ref.VersionID, ref.ETag, ref.Album} {
		w.text(s)
	}
	w.time(ref.TakenAt)
	w.bool(ref.OptOut)
	w.bool(ref.Position != nil)
	if ref.Position != nil {
		w.float(ref.Position.Lat)
		w.float(ref.Position.Lon)
		w.text(ref.Position.Source)
	}
}

func (w *wireWriter) source(src Source) {
	for _, s := range []string{src.Bucket, src.Key, src.VersionID, src.ETag, src.Topic} {
		w.text(s)
	}
	w.int(int64(src.Partition))
	w.int(src.Offset)
}

func (w *wireWriter) candidates(top []enrich.Candidate) {
	w.count(len(top))
	for _, c := range top {
		if c.Cell < 0 || int64(c.Cell) > math.MaxUint32 || math.IsNaN(c.P) {
			w.err = fmt.Errorf("%w: candidate cell %d with probability %g", ErrEmbedding, c.Cell, c.P)
			return
		}
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(c.Cell))
		w.out = binary.LittleEndian.AppendUint32(w.out, math.Float32bits(float32(c.P)))
	}
}

func (w *wireWriter) vector(v []float32) {
	w.count(len(v))
	for i, f := range v {
		if f != f {
			w.err = fmt.Errorf("%w: element %d of the embedding is not a number", ErrEmbedding, i)
			return
		}
		w.out = binary.LittleEndian.AppendUint16(w.out, toHalf(f))
	}
}
