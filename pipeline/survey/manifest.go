package survey

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"planetag/enrich/cells/gazetteer"
)

// finish makes the manifest and the report from the whole journal. It reads the
// journal twice: which positions are to be believed is known after all photos.
func (s *survey) finish() (Report, error) {
	shared := aside{}
	skipped := map[string]skippedCount{}
	_, err := eachEntry(s.journal.file, func(e entry) error {
		for kind, n := range e.Skipped {
			have := skipped[kind]
			skipped[kind] = skippedCount{have.Objects + n.Objects, have.Bytes + n.Bytes}
		}
		if e.Photo != nil {
			shared.see(*e.Photo)
		}
		return nil
	})
	if err != nil {
		return Report{}, fmt.Errorf("read journal: %w", err)
	}
	names, err := gazetteer.Open()
	if err != nil {
		return Report{}, err
	}
	stock := newStock(s.Options, names, shared)
	if err := writeWhole(s.Out, func(w io.Writer) error { return s.manifest(w, stock) }); err != nil {
		return Report{}, fmt.Errorf("write manifest: %w", err)
	}
	report := stock.result()
	report.Skipped = skipped
	return report, nil
}

// columns of the manifest. The first six are those that `planetag eval` and the
// training read.
func columns() []string {
	return []string{
		"id", "file", "lat", "lon", "taken_at", "album", "source", "camera", "size", "etag", "modified", "phash", "set_aside", "problem",
	}
}

// manifest writes all photos in the order of the listing. The journal has them in
// the order in which they were read, which is nearly the same: few wait.
func (s *survey) manifest(w io.Writer, stock *stock) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns()); err != nil {
		return err
	}
	var order []string
	waiting := map[string]Photo{}
	_, err := eachEntry(s.journal.file, func(e entry) error {
		for _, o := range e.Page {
			order = append(order, o.Key)
		}
		if e.Photo != nil {
			waiting[e.Photo.Key] = *e.Photo
		}
		for len(order) > 0 {
			p, ok := waiting[order[0]]
			if !ok {
				break
			}
			delete(waiting, order[0])
			order = order[1:]
			if err := out.Write(row(stock.add(p))); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(order) > 0 {
		err = fmt.Errorf("%w: %s was listed and never read", ErrJournal, order[0])
	}
	out.Flush()
	return errors.Join(err, out.Error())
}

func row(p Photo, setAside string) []string {
	var lat, lon, taken, source string
	if p.Lat != nil {
		lat, lon, source = degrees(*p.Lat), degrees(*p.Lon), "exif"
	}
	if !p.TakenAt.IsZero() {
		taken = p.TakenAt.Format(time.RFC3339)
	}
	return []string{
		p.Key, p.Key, lat, lon, taken, p.Album(), source, p.Camera,
		strconv.FormatInt(p.Size, 10), p.ETag, p.Modified.Format(time.RFC3339), p.PHash, setAside, p.Problem,
	}
}

// degrees has seven decimals at most, a centimetre.
func degrees(v float64) string { return strconv.FormatFloat(math.Round(v*1e7)/1e7, 'f', -1, 64) }

// writeWhole writes a file that appears whole or not at all. It says where the
// owner's photos were taken, so it is for the owner alone.
func writeWhole(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
