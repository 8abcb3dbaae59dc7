package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"planetag/enrich"
)

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
		if !ref.Position.onEarth() {
			r.fail("position %g, %g is not on earth", ref.Position.Lat, ref.Position.Lon)
		}
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
		if math.IsNaN(top[i].P) {
			r.fail("probability %d is not a number", i)
		}
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
		h := binary.LittleEndian.Uint16(raw[2*i:])
		if h&infiniteHalf == infiniteHalf {
			r.fail("element %d of the embedding is not a finite number", i)
		}
		v[i] = fromHalf(h)
	}
	return v
}
