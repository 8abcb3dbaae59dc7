package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	fast "github.com/segmentio/encoding/json"

	"planetag/consumer"
	"planetag/enrich/cells"
	"planetag/pipeline"
)

// StatusRemoved is the status of a photo that was removed or whose answer was retracted: a tombstone on the topic.
const StatusRemoved = "removed"

// Document is one photo as an index holds it. Its JSON form is the document of OpenSearch; deploy/search describes the
// fields. A deleted one holds nothing but what says so.
type Document struct {
	PhotoID  string `json:"photo_id"`
	Deleted  bool   `json:"deleted"`
	Status   string `json:"status"`
	Stage    string `json:"stage,omitempty"`
	Revision int64  `json:"revision"`
	Record   Record `json:"record"`

	Location    *pipeline.Point `json:"location,omitempty"`
	Shape       *Shape          `json:"shape,omitempty"`
	RadiusP50M  int64           `json:"radius_p50_m,omitempty"`
	RadiusP90M  int64           `json:"radius_p90_m,omitempty"`
	Confidence  *float64        `json:"confidence,omitempty"`
	Cell        string          `json:"cell,omitempty"`
	S2Ancestors []string        `json:"s2_ancestors,omitempty"` // of the answer's cell, or around a given position
	Place       *pipeline.Place `json:"place,omitempty"`
	Album       *Album          `json:"album,omitempty"`
	Model       *Model          `json:"model,omitempty"`
	Source      *Source         `json:"source,omitempty"`
	TakenAt     time.Time       `json:"taken_at,omitzero"`
	Time        time.Time       `json:"time"`

	version int64
	record  consumer.Record // that it was read from
}

// Record is the one of the locations topic that the document was made of.
type Record struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
}

// Album is what of pipeline.AlbumPart is searched for.
type Album struct {
	ID     string  `json:"id"`
	Mode   string  `json:"mode"`
	Size   int     `json:"size"`
	MovedM float64 `json:"moved_m"`
}

// Model is what of pipeline.ModelOfLocation is searched for.
type Model struct {
	Bundle string `json:"bundle"`
	SHA256 string `json:"sha256"`
}

// Source is the object.
type Source struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// Version is what the index compares; see Standing.
func (d *Document) Version() int64 { return d.version }

// Standing is the document in brief, as of version.
func (d *Document) Standing(version int64) Standing {
	s := d.standing()
	s.Version = version
	return s
}

func (d *Document) standing() Standing {
	return Standing{
		Deleted: d.Deleted, Stage: d.Stage, Revision: d.Revision,
		Partition: d.Record.Partition, Offset: d.Record.Offset, Version: d.version,
	}
}

// read turns a record of the locations topic into the document it stands for. Its error wraps pipeline.ErrLocation.
func read(rec consumer.Record, shape string) (*Document, error) {
	switch {
	case len(rec.Key) == 0:
		return nil, fmt.Errorf("%w: the record has no key, which is the photo's id", pipeline.ErrLocation)
	case !utf8.Valid(rec.Key): // an index that mends it would hold the photo under another id
		return nil, fmt.Errorf("%w: the record's key %q is not UTF-8", pipeline.ErrLocation, rec.Key)
	}
	d := &Document{PhotoID: string(rec.Key), record: rec, Record: Record{rec.Partition, rec.Offset}}
	if rec.Value == nil {
		return d.removed(rec)
	}
	l, err := decode(rec.Value)
	if err != nil {
		return nil, fmt.Errorf("%w of photo %q: %w", pipeline.ErrLocation, d.PhotoID, err)
	}
	if err := l.Check(); err != nil {
		return nil, err
	}
	switch {
	case l.PhotoID != d.PhotoID:
		return nil, fmt.Errorf("%w: photo_id is %q, the record's key %q", pipeline.ErrLocation, l.PhotoID, d.PhotoID)
	case l.Stage != pipeline.StagePhoto && l.Stage != pipeline.StageAlbum:
		return nil, fmt.Errorf("%w of photo %q: unknown stage %q", pipeline.ErrLocation, d.PhotoID, l.Stage)
	case l.Revision < 1 || l.Revision > 1<<53:
		return nil, fmt.Errorf("%w of photo %q: revision is %d", pipeline.ErrLocation, d.PhotoID, l.Revision)
	}
	d.Status, d.Revision, d.Time = l.Status, l.Revision, l.Time
	if d.Deleted = l.Status == pipeline.StatusOptedOut; !d.Deleted {
		d.fill(l)
		d.Shape = shapeOf(shape, l)
	}
	d.version = d.standing().ownVersion()
	return d, nil
}

// decode reads a location some times as fast as encoding/json, whose work was as dear as a row is to the database. What the fast one does
// not understand, encoding/json judges.
func decode(value []byte) (pipeline.Location, error) {
	if !utf8.Valid(value) {
		return pipeline.Location{}, errors.New("the value is not UTF-8")
	}
	const usual = 64 << 10 // the fast one goes down into whatever is nested, without a limit of its own
	if len(value) <= usual {
		var l pipeline.Location
		if fast.Unmarshal(value, &l) == nil {
			return l, nil
		}
	}
	var l pipeline.Location
	err := json.Unmarshal(value, &l)
	return l, err
}

// removed is the document of a tombstone. One that some other program wrote has no revision; the time at which it was
// written is the best that is known.
func (d *Document) removed(rec consumer.Record) (*Document, error) {
	d.Deleted, d.Status, d.Time, d.Revision = true, StatusRemoved, rec.Time.UTC(), max(rec.Time.UnixMilli(), 1)
	if i := slices.IndexFunc(rec.Headers, func(h consumer.Header) bool { return h.Key == pipeline.HeaderRevision }); i >= 0 {
		revision, err := strconv.ParseInt(string(rec.Headers[i].Value), 10, 64)
		if err != nil || revision < 1 || revision > 1<<53 {
			return nil, fmt.Errorf("%w of photo %q: header %s is %q", pipeline.ErrLocation, d.PhotoID, pipeline.HeaderRevision, rec.Headers[i].Value)
		}
		d.Revision = revision
	}
	d.version = d.standing().ownVersion()
	return d, nil
}

func (d *Document) fill(l pipeline.Location) {
	d.Stage, d.Location, d.RadiusP50M, d.RadiusP90M = l.Stage, l.Location, l.RadiusP50M, l.RadiusP90M
	d.Confidence, d.Cell, d.S2Ancestors, d.Place, d.TakenAt = l.Confidence, l.Cell, l.S2Ancestors, l.Place, l.TakenAt
	d.Source = &Source{Bucket: l.Source.Bucket, Key: l.Source.Key}
	if l.Album != nil {
		d.Album = &Album{ID: l.Album.ID, Mode: l.Album.Mode, Size: l.Album.Size, MovedM: l.Album.MovedM}
	}
	if l.Model != nil {
		d.Model = &Model{Bundle: l.Model.Bundle, SHA256: l.Model.SHA256}
	}
	if l.Cell != "" { // a cell counts among its own level, too
		d.S2Ancestors = append(slices.Clone(d.S2Ancestors), l.Cell)
	}
	if l.Status == pipeline.StatusGiven { // so that a drill-down counts measured photos as well
		leaf, _ := cells.Leaf(l.Location.Lat, l.Location.Lon)
		d.S2Ancestors = cells.Ancestors(cells.Cap(leaf, givenLevel))
	}
}

// givenLevel is the finest cell that a measured position is counted in; below 14 (600 m) one reads the position itself.
const givenLevel = 15

// size is what a record takes in memory, roughly, until its document was written.
func size(rec consumer.Record) int { return 512 + 3*(len(rec.Key)+len(rec.Value)) }
