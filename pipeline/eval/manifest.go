package eval

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"planetag/enrich/cells/table"
)

// ErrManifest marks a manifest that cannot be scored: unreadable, a missing column, rows that make no sense.
var ErrManifest = errors.New("read manifest")

// Row is one photo of a manifest with the place where it was really taken.
type Row struct {
	ID       string
	File     string // relative to the photos folder, slashes as in the manifest
	Lat, Lon float64
	TakenAt  time.Time // zero when the manifest does not know it
	Album    string    // empty = the photo is alone
	Source   string    // who or what the photo is from; empty = not known
	Line     int       // line in the manifest, for messages
}

// ReadManifestFile reads the manifest at path: Parquet if its name ends in .parquet, else CSV; see ReadManifest.
func ReadManifestFile(path string) (rows []Row, placeless int, err error) {
	if !table.Is(path) {
		f, err := os.Open(path)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrManifest, err)
		}
		defer f.Close()
		return ReadManifest(f, path)
	}
	t, err := table.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("%w %s: %w", ErrManifest, path, err)
	}
	defer t.Close()
	s, err := openTable(t, path, ErrManifest, needed()...)
	if err != nil {
		return nil, 0, err
	}
	return s.manifest()
}

// needed are the columns that every manifest has.
func needed() []string { return []string{"id", "file", "lat", "lon"} }

// ReadManifest reads a CSV with a header line that names at least id, file, lat and lon, in any order; of other columns
// taken_at, album and source_repo (or source) are read and the rest is ignored. Photos without a value of album are alone.
// A time without an offset is UTC. Rows without a latitude and without a longitude are counted as placeless and left out: a
// survey lists photos that do not know where they were taken, too. The error names the missing column, or the first bad rows by their line and column. The
// name is used in messages only.
func ReadManifest(r io.Reader, name string) (rows []Row, placeless int, err error) {
	s, err := openSheet(r, name, ErrManifest, needed()...)
	if err != nil {
		return nil, 0, err
	}
	return s.manifest()
}

// manifest is all rows with a position, and how many there are without.
func (s *sheet) manifest() (rows []Row, placeless int, err error) {
	seen := map[string]int{}
	err = s.read(func(line int, f fields) error {
		if f("lat") == "" && f("lon") == "" {
			placeless++
			return nil
		}
		row, err := manifestRow(f)
		if err != nil {
			return err
		}
		if err := once(seen, row.ID, line); err != nil {
			return err
		}
		row.Line = line
		rows = append(rows, row)
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%w %s: none of %d rows has a position in lat and lon", ErrManifest, s.name, placeless)
	}
	return rows, placeless, err
}

// once refuses an id that was there before.
func once(seen map[string]int, id string, line int) error {
	if id == "" {
		return wrong("id", "empty; every photo needs a name of its own")
	}
	if before := seen[id]; before > 0 {
		return wrong("id", "%q was already used on line %d; every photo needs a name of its own", id, before)
	}
	seen[id] = line
	return nil
}

func manifestRow(f fields) (Row, error) {
	row := Row{ID: f("id"), File: f("file")}
	if !filepath.IsLocal(filepath.FromSlash(row.File)) {
		return row, wrong("file", "%q is not a path inside the photos folder", row.File)
	}
	return row, row.known(f)
}

// known reads what is known of a photo beside its name.
func (r *Row) known(f fields) (err error) {
	r.Album, r.Source = f("album"), f("source_repo")
	if r.Source == "" {
		r.Source = f("source")
	}
	if r.Lat, r.Lon, err = position(f, "lat", "lon"); err != nil {
		return err
	}
	r.TakenAt, err = parseTime(f("taken_at"))
	return err
}

func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, wrong("taken_at", "%q is not a time like 2019-05-01T14:03:00Z; leave it empty if it is not known", text)
}
