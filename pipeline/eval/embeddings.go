package eval

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"planetag/enrich"
	"planetag/enrich/cells/table"
)

// EmbeddingsOptions says whose embeddings are written, and where to.
type EmbeddingsOptions struct {
	Model            enrich.Options
	Manifest, Photos string // as in Options
	Views            int    // of each photo, beside the one the worker sees
	Out              string // Parquet file
	Progress         func(done, total int)
}

// Embedded is what Embeddings has written.
type Embedded struct {
	Photos     int          `json:"photos"`
	Placeless  int          `json:"placeless"` // rows of the manifest without a position
	Unreadable []Unreadable `json:"unreadable"`
	Width      int          `json:"width"` // of one embedding
	Views      int          `json:"views"` // of each photo, that of the worker among them
	Bundle     string       `json:"bundle"`
	SHA256     string       `json:"sha256"` // of the bundle
	Out        string       `json:"out"`
}

// embeddingRow is one photo with what is known of it, as the manifest has it.
type embeddingRow struct {
	ID        string  `parquet:"id"`
	File      string  `parquet:"file"`
	Lat       float64 `parquet:"lat"`
	Lon       float64 `parquet:"lon"`
	TakenAt   string  `parquet:"taken_at"` // RFC 3339; empty where it is not known
	Album     string  `parquet:"album"`
	Source    string  `parquet:"source"`
	Embedding []byte  `parquet:"embedding"` // float32, little endian, view after view; the first is what the worker sees
}

// piece is how many photos are held at once.
const piece = 512

// Embeddings writes the embeddings of the photos of a manifest that have a position: those that the worker's own decoder
// and network make. The file is for its owner alone, since it says where the photos were taken. Errors are ErrManifest,
// ErrPhotos, those of enrich.Load and ctx's.
func Embeddings(ctx context.Context, o EmbeddingsOptions) (Embedded, error) {
	rows, placeless, err := ReadManifestFile(o.Manifest)
	if err != nil {
		return Embedded{}, err
	}
	model, err := enrich.Load(ctx, o.Model)
	if err != nil {
		return Embedded{}, err
	}
	info := model.Info()
	done := Embedded{
		Placeless: placeless, Unreadable: []Unreadable{}, Width: info.EmbeddingWidth, Views: 1 + o.Views,
		Bundle: info.Name + "@" + info.Version, SHA256: info.SHA256, Out: o.Out,
	}
	err = done.write(ctx, o, model, rows)
	if closing := model.Close(); err == nil && closing != nil {
		err = fmt.Errorf("close model: %w", closing)
	}
	return done, err
}

// write writes the file, which appears whole or not at all.
func (d *Embedded) write(ctx context.Context, o EmbeddingsOptions, model *enrich.Model, rows []Row) error {
	file, err := os.CreateTemp(filepath.Dir(o.Out), filepath.Base(o.Out)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write embeddings: %w", err)
	}
	buffered := bufio.NewWriter(file)
	out := table.NewWriter[embeddingRow](buffered)
	err = d.pieces(ctx, o, model, rows, out)
	if err = errors.Join(cmp.Or(err, out.Close()), buffered.Flush(), file.Close()); err == nil {
		err = os.Rename(file.Name(), o.Out)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func (d *Embedded) pieces(ctx context.Context, o EmbeddingsOptions, model *enrich.Model, rows []Row, out *table.Writer[embeddingRow]) error {
	for from := 0; from < len(rows); from += piece {
		progress := func(done, _ int) {
			if o.Progress != nil {
				o.Progress(from+done, len(rows))
			}
		}
		e := embedder{model: model, dir: o.Photos, views: o.Views, progress: progress}
		items, bad, err := e.all(ctx, rows[from:min(from+piece, len(rows))])
		if err != nil {
			return err
		}
		d.Photos, d.Unreadable = d.Photos+len(items), append(d.Unreadable, bad...)
		for _, it := range items {
			if err := out.Write(it.stored()); err != nil {
				return err
			}
		}
	}
	if d.Photos == 0 {
		return fmt.Errorf("%w in %s: none of %d could be read, the first because: %s", ErrPhotos, o.Photos, len(rows), d.Unreadable[0].Error)
	}
	return nil
}

func (it item) stored() embeddingRow {
	r := it.row
	stored := embeddingRow{ID: r.ID, File: r.File, Lat: r.Lat, Lon: r.Lon, Album: r.Album, Source: r.Source}
	if !r.TakenAt.IsZero() {
		stored.TakenAt = r.TakenAt.Format(time.RFC3339)
	}
	for _, sight := range append([]enrich.Sight{it.sight}, it.views...) {
		for _, v := range sight.Embedding {
			stored.Embedding = binary.LittleEndian.AppendUint32(stored.Embedding, math.Float32bits(v))
		}
	}
	return stored
}
