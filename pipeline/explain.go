package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/decode"
)

// ErrNoPhoto says that there is nothing to explain under the given name.
var ErrNoPhoto = errors.New("no photo to explain")

// ExplainOptions names one photo: a file of this machine, or s3://bucket/key in the store of the configuration.
type ExplainOptions struct {
	Photo     string
	Reference *Reference // in place of Photo
	Config    Config
	Model     *enrich.Model // loaded for Config, and left open; nil = loaded for this photo
}

// Explanation is every step of the answer to one photo, in the order in which the worker takes them, and its end: a record
// or a dead letter.
type Explanation struct {
	Photo      string          `json:"photo"`
	Bundle     string          `json:"bundle"`
	SHA256     string          `json:"sha256"`
	Steps      []ExplainStep   `json:"steps"`
	Status     string          `json:"status"` // of the location, or "dead_letter"
	Cells      []ExplainCell   `json:"cells,omitempty"`
	Rollup     *Rollup         `json:"rollup,omitempty"`
	RadiusP50M int64           `json:"radius_p50_m,omitempty"`
	RadiusP90M int64           `json:"radius_p90_m,omitempty"`
	Reason     string          `json:"reason"` // why the status is what it is
	ErrorType  string          `json:"error_type,omitempty"`
	Record     json.RawMessage `json:"record,omitempty"` // the value that would be published
}

// ExplainStep is one step of the walk, with what it found.
type ExplainStep struct {
	Name   string  `json:"name"` // load, read or fetch, exif, decode, cnn, place
	Millis float64 `json:"ms"`
	Detail string  `json:"detail"`
}

// ExplainCell is one of the most probable cells.
type ExplainCell struct {
	Cell  string  `json:"cell"`
	Level int     `json:"level"`
	P     float64 `json:"p"`
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Place *Place  `json:"place,omitempty"`
}

// StatusDeadLetter is the Explanation's status of a photo that has no location at all.
const StatusDeadLetter = "dead_letter"

// explaining is the walk of one photo with a witness.
type explaining struct {
	Explanation
	cfg   Config
	model *enrich.Model
	ref   Reference
	data  []byte
	etag  string
}

// Explain walks one photo as the worker would, without Kafka and without publishing. A photo that would become a dead
// letter is explained, too; errors are for what the worker would not get over either: no library, no bundle, no store.
func Explain(ctx context.Context, o ExplainOptions) (Explanation, error) {
	e := &explaining{Explanation: Explanation{Photo: o.Photo}, cfg: o.Config, model: o.Model}
	if o.Reference != nil {
		e.ref, e.Photo = *o.Reference, "s3://"+o.Reference.Bucket+"/"+o.Reference.Key
	}
	if err := e.walk(ctx); err != nil {
		if Judge(err) != DeadLetter {
			return Explanation{}, err
		}
		e.Status, e.ErrorType, e.Reason = StatusDeadLetter, errorType(err), err.Error()
	}
	if e.model == nil || e.model == o.Model {
		return e.Explanation, nil
	}
	return e.Explanation, e.model.Close()
}

func (e *explaining) walk(ctx context.Context) error {
	b, err := e.load(ctx)
	if err != nil {
		return err
	}
	if err := e.read(ctx); err != nil {
		return err
	}
	e.exif()
	pixels := make([]byte, e.model.Info().InputBytes)
	if err := e.decode(ctx, pixels); err != nil {
		return err
	}
	started := time.Now()
	sights, err := e.model.Embed(ctx, [][]byte{pixels})
	if err != nil {
		return fmt.Errorf("run the cnn: %w", err)
	}
	e.step("cnn", started, "embedding of %d numbers, %d most probable of %d cells",
		len(sights[0].Embedding), len(sights[0].Top), e.model.Info().Cells)
	return e.place(sights[0].Top, b.Manifest.Calibration)
}

func (e *explaining) step(name string, started time.Time, format string, args ...any) {
	took := time.Since(started)
	e.Steps = append(e.Steps, ExplainStep{Name: name, Millis: took.Seconds() * 1000, Detail: fmt.Sprintf(format, args...)})
}

func (e *explaining) load(ctx context.Context) (*bundle.Bundle, error) {
	started := time.Now()
	options, err := modelOptions(e.cfg)
	if err != nil {
		return nil, err
	}
	b, err := bundle.Read(options.Bundle)
	if err != nil {
		return nil, err
	}
	if e.model == nil {
		if e.model, err = enrich.Load(ctx, options); err != nil {
			return nil, err
		}
	}
	info := e.model.Info()
	e.Bundle, e.SHA256 = info.Name+"@"+info.Version, info.SHA256
	e.step("load", started, "%s, ONNX Runtime %s, golden photos reproduced", e.Bundle, info.LibraryVersion)
	return b, nil
}

// read gets the photo's bytes, from where its name says.
func (e *explaining) read(ctx context.Context) error {
	started := time.Now()
	rest, remote := strings.CutPrefix(e.Photo, "s3://")
	if !remote {
		return e.readFile(started)
	}
	bucket, key, _ := strings.Cut(rest, "/")
	if bucket == "" || key == "" {
		return fmt.Errorf("%w: write %q as s3://bucket/key", ErrNoPhoto, e.Photo)
	}
	if e.ref.Key == "" {
		e.ref = Reference{PhotoID: bucket + "/" + key, Bucket: bucket, Key: key, Album: AlbumOf(key)}
	}
	store, err := NewStore(e.cfg.S3, e.cfg.Photos.MaxObjectBytes)
	if err != nil {
		return err
	}
	object, err := store.Get(ctx, e.ref, func(int64) {})
	if err != nil {
		return err
	}
	e.data, e.etag, e.ref.VersionID = object.Data, object.ETag, object.VersionID
	e.step("fetch", started, "%d bytes, etag %s", len(e.data), object.ETag)
	return nil
}

func (e *explaining) readFile(started time.Time) error {
	data, err := os.ReadFile(e.Photo)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoPhoto, err)
	}
	path, err := filepath.Abs(e.Photo)
	if err != nil {
		return fmt.Errorf("read photo: %w", err)
	}
	// A file has no bucket. The record says so rather than pretend.
	e.ref = Reference{PhotoID: "file" + filepath.ToSlash(path), Bucket: "file", Key: strings.TrimPrefix(filepath.ToSlash(path), "/")}
	e.data = data
	e.step("read", started, "%d bytes", len(data))
	return nil
}

func (e *explaining) exif() {
	started := time.Now()
	exif, err := decode.ReadExif(e.data)
	e.ref = withExif(e.ref, exif)
	var found []string
	if !exif.TakenAt.IsZero() {
		found = append(found, "taken "+exif.TakenAt.Format(time.RFC3339))
	}
	if exif.Position != nil {
		found = append(found, fmt.Sprintf("position %.5f, %.5f", exif.Position.Lat, exif.Position.Lon))
	}
	if exif.Camera != "" {
		found = append(found, exif.Camera)
	}
	switch {
	case err != nil:
		found = append(found, "ignored: "+err.Error())
	case len(found) == 0:
		found = []string{"none: neither time nor position"}
	}
	e.step("exif", started, "%s", strings.Join(found, ", "))
}

func (e *explaining) decode(ctx context.Context, pixels []byte) error {
	started := time.Now()
	photo, err := e.model.Decode(ctx, e.data, pixels)
	if err != nil {
		e.step("decode", started, "%s", err)
		return err
	}
	e.step("decode", started, "%s %d×%d, orientation %d", photo.Info.Format, photo.Info.Width, photo.Info.Height, photo.Info.Orientation)
	return nil
}
