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

// wireReader takes the fields of a record off its front. After the first error every field is zero.
type wireReader struct {
	rest []byte
	err  error
}

func (r *wireReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrEmbedding, fmt.Sprintf(format, args...))
	}
	r.rest = nil
}

// done refuses what is left over: a record is read as a whole or not at all.
func (r *wireReader) done() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("%d bytes are left over", len(r.rest))
	}
	return r.err
}

// take returns the next n bytes, or nil when there are not so many.
func (r *wireReader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.rest) {
		r.fail("truncated")
		return nil
	}
	head := r.rest[:n]
	r.rest = r.rest[n:]
	return head
}

func (r *wireReader) header() byte {
	head := r.take(len(wireMagic) + 2)
	switch {
	case head == nil:
		return 0
	case string(head[:2]) != wireMagic:
		r.fail("not written by planetag")
	case head[2] != wireVersion:
		r.fail("version %d; this planetag reads version %d", head[2], wireVersion)
	}
	return head[3]
}

func (r *wireReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *wireReader) bool() bool {
	b := r.byte()
	if b > 1 {
		r.fail("flag is %d", b)
	}
	return b == 1
}

func (r *wireReader) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail("truncated number")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count reads the length of what follows, of which each element takes at least size bytes: no record can claim more than
// it has.
func (r *wireReader) count(size int) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(len(r.rest)-n)/uint64(size) {
		r.fail("truncated list")
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *wireReader) text() string { return string(r.take(r.count(1))) }

func (r *wireReader) float() float64 {
	if b := r.take(8); b != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *wireReader) time() time.Time {
	if !r.bool() {
		return time.Time{}
	}
	seconds := r.int()
	nanos, n := binary.Uvarint(r.rest)
	if n <= 0 || nanos >= uint64(time.Second) {
		r.fail("bad time")
		return time.Time{}
	}
	r.rest = r.rest[n:]
	return time.Unix(seconds, int64(nanos)).UTC()
}

func (r *wireReader) reference() Reference {
	ref := Reference{
		PhotoID: r.text(), Bucket: r.text(), Key: r.text(), VersionID: r.text(), ETag: r.text(), Album: r.text(),
		TakenAt: r.time(), OptOut: r.bool(),
	}
	if r.bool() {
		ref.Position = &Position{Lat: r.float(), Lon: r.float(), Source: r.text()}
	}
	return ref
}

func (r *wireReader) source() Source {
	return Source{
		Bucket: r.text(), Key: r.text(), VersionID: r.text(), ETag: r.text(), Topic: r.text(),
		Partition: int(r.int()), Offset: r.int(),
	}
}

func (r *wireReader) candidates() []enrich.Candidate {
	n := r.count(8)
	if n == 0 {
		return nil
	}
	top, raw := make([]enrich.Candidate, n), r.take(8*n)
	for i := range top {
		top[i].Cell = int(binary.LittleEndian.Uint32(raw[8*i:]))
		top[i].P = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[8*i+4:])))
	}
	return top
}

func (r *wireReader) vector() []float32 {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	v, raw := make([]float32, n), r.take(2*n)
	for i := range v {
		v[i] = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return v
}
