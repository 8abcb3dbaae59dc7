package pipeline

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"planetag/enrich"
)

// ErrEmbedding says that a value of the embeddings topic cannot be read, or that a record cannot be written as one.
var ErrEmbedding = errors.New("bad album record")

// Embedding is what the photo stage tells the album stage of one photo. On the embeddings topic its key is the album id,
// so that an album lies in one partition.
type Embedding struct {
	Reference Reference
	Source    Source
	Revision  int64              // of the photo-level location
	Model     string             // SHA-256 of the bundle: embeddings of two bundles have nothing to do with each other
	Top       []enrich.Candidate // of the photo alone, greatest first
	Vector    []float32          // the CNN's last layer; float16 on the wire
	Copied    bool               // a copy further on, which bounds the replay, of the embedding at Original
	Original  int64              // offset of the first copy; only with Copied
}

// ControlKind says what a control record does to an album.
type ControlKind byte

// The kinds of control records.
const (
	ControlClose    ControlKind = 1 + iota // the album's photos up to UpTo have been answered
	ControlComplete                        // no more photos will come; Photos says how many there are, if known
	ControlMissing                         // the photo PhotoID will never bring an embedding
)

// Control is a record on the embeddings topic that is not an embedding.
type Control struct {
	Kind     ControlKind
	Album    string
	UpTo     int64 // ControlClose: the last offset that it covers
	Revision int64 // ControlClose: of the locations that were published
	Photos   int
	Reason   string // ControlClose: why
	At       time.Time
	PhotoID  string // ControlMissing
}

// The wire form: "PT", the version, the kind of record, then its fields in a fixed order. Numbers are varints, strings
// and lists carry their length in front, floats are little-endian.
const (
	wireMagic   = "PT"
	wireVersion = 1

	wireEmbedding = 'E'
	wireOfCamera  = 'F' // an embedding that begins with the camera
	wireControl   = 'C'
)

// EncodeEmbedding renders e for the embeddings topic. A vector or a probability that is not a number is refused.
func EncodeEmbedding(e Embedding) ([]byte, error) {
	kind := byte(wireEmbedding)
	if e.Reference.Camera != "" {
		kind = wireOfCamera
	}
	w := newWriter(kind, 512+len(e.Top)*9+len(e.Vector)*2)
	if kind == wireOfCamera {
		w.text(e.Reference.Camera)
	}
	w.reference(e.Reference)
	w.source(e.Source)
	w.int(e.Revision)
	w.text(e.Model)
	w.bool(e.Copied)
	w.int(e.Original)
	w.candidates(e.Top)
	w.vector(e.Vector)
	return w.done()
}

// EncodeControl renders c for the embeddings topic.
func EncodeControl(c Control) ([]byte, error) {
	if c.Kind < ControlClose || c.Kind > ControlMissing {
		return nil, fmt.Errorf("%w: control kind %d", ErrEmbedding, c.Kind)
	}
	w := newWriter(wireControl, 128)
	w.byte(byte(c.Kind))
	w.text(c.Album)
	w.int(c.UpTo)
	w.int(c.Revision)
	w.int(int64(c.Photos))
	w.text(c.Reason)
	w.time(c.At)
	w.text(c.PhotoID)
	return w.done()
}

// DecodeAlbumRecord reads a value of the embeddings topic: exactly one of the two is not nil, unless there is an error,
// which wraps ErrEmbedding. It holds for any bytes; what it allocates is bounded by their number.
func DecodeAlbumRecord(value []byte) (*Embedding, *Control, error) {
	r := wireReader{rest: value}
	var e *Embedding
	var c *Control
	switch kind := r.header(); kind {
	case wireEmbedding, wireOfCamera:
		camera := ""
		if kind == wireOfCamera {
			camera = r.text()
		}
		e = &Embedding{
			Reference: r.reference(), Source: r.source(), Revision: r.int(), Model: r.text(),
			Copied: r.bool(), Original: r.int(), Top: r.candidates(), Vector: r.vector(),
		}
		e.Reference.Camera = camera
	case wireControl:
		c = &Control{
			Kind: ControlKind(r.byte()), Album: r.text(), UpTo: r.int(), Revision: r.int(),
			Photos: int(r.int()), Reason: r.text(), At: r.time(), PhotoID: r.text(),
		}
		if c.Kind < ControlClose || c.Kind > ControlMissing {
			r.fail("control kind %d is unknown", c.Kind)
		}
	default:
		r.fail("kind %q is unknown", kind)
	}
	if err := r.done(); err != nil {
		return nil, nil, err
	}
	return e, c, nil
}

// Bytes estimates the memory that the embedding holds while its album is open.
func (e Embedding) Bytes() int64 {
	const bookkeeping = 256 // map entries, list entries and allocation rounding of the album
	ref, src := &e.Reference, &e.Source
	n := int(unsafe.Sizeof(e)) + bookkeeping
	for _, s := range []string{
		ref.PhotoID, ref.Bucket, ref.Key, ref.VersionID, ref.ETag, ref.Album, ref.Camera,
		src.Bucket, src.Key, src.VersionID, src.ETag, src.Topic, e.Model,
	} {
		n += len(s)
	}
	if ref.Position != nil {
		n += int(unsafe.Sizeof(*ref.Position)) + len(ref.Position.Source)
	}
	return int64(n + len(e.Top)*int(unsafe.Sizeof(enrich.Candidate{})) + len(e.Vector)*4)
}
