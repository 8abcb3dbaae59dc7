package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
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
	Line     int       // line in the manifest, for messages
}

// shown is how many bad rows one error names; the rest is a number.
const shown = 5

// ReadManifestFile reads the manifest at path; see ReadManifest.
func ReadManifestFile(path string) ([]Row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	defer f.Close()
	return ReadManifest(f, path)
}

// ReadManifest reads a CSV with a header line that names at least id, file, lat and lon, in any order; other columns than
// these, taken_at and album are ignored. Photos without a value of album are alone. A time without an offset is UTC. The error names the
// missing column, or the first bad rows by their line. The name is used in messages only.
func ReadManifest(r io.Reader, name string) ([]Row, error) {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("%w %s: no header line: %w", ErrManifest, name, err)
	}
	at, err := columns(header)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrManifest, name, err)
	}
	rows, bad := readRows(c, at)
	if len(bad) > 0 {
		return nil, fmt.Errorf("%w %s: %w", ErrManifest, name, badRows(bad))
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w %s: no rows below the header", ErrManifest, name)
	}
	return rows, nil
}

// columns finds the place of every needed column in the header.
func columns(header []string) (map[string]int, error) {
	at := make(map[string]int, len(header))
	for i, h := range header {
		// Spreadsheets put a byte order mark before the first name.
		at[strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))] = i
	}
	var missing []string
	for _, need := range []string{"id", "file", "lat", "lon"} {
		if _, ok := at[need]; !ok {
			missing = append(missing, need)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("missing column %s (the header has: %s)", strings.Join(missing, ", "), strings.Join(header, ", "))
	}
	return at, nil
}

func readRows(c *csv.Reader, at map[string]int) (rows []Row, bad []error) {
	seen := map[string]int{}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return rows, bad
		}
		if err != nil {
			// csv's own errors carry the line; one of them may be a broken quote that swallows the rest, so stop.
			if bad = append(bad, err); !errors.Is(err, csv.ErrFieldCount) {
				return rows, bad
			}
			continue
		}
		line, _ := c.FieldPos(0)
		row, err := parseRow(record, at)
		row.Line = line
		if err == nil && seen[row.ID] > 0 {
			err = fmt.Errorf("id %q was already used on line %d", row.ID, seen[row.ID])
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		seen[row.ID] = line
		rows = append(rows, row)
	}
}

func parseRow(record []string, at map[string]int) (Row, error) {
	field := func(name string) string {
		if i, ok := at[name]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	row := Row{ID: field("id"), File: field("file"), Album: field("album")}
	if row.ID == "" {
		return row, errors.New("id is empty")
	}
	if !filepath.IsLocal(filepath.FromSlash(row.File)) {
		return row, fmt.Errorf("file %q is not a path inside the photos folder", row.File)
	}
	var err error
	if row.Lat, err = degrees("lat", field("lat"), 90); err != nil {
		return row, err
	}
	if row.Lon, err = degrees("lon", field("lon"), 180); err != nil {
		return row, err
	}
	row.TakenAt, err = parseTime(field("taken_at"))
	return row, err
}

func degrees(name, text string, limit float64) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a number", name, text)
	}
	if math.IsNaN(v) || math.Abs(v) > limit {
		return 0, fmt.Errorf("%s %q is outside -%g…%g", name, text, limit, limit)
	}
	return v, nil
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
	return time.Time{}, fmt.Errorf("taken_at %q is not a time like 2019-05-01T14:03:00Z", text)
}

func badRows(bad []error) error {
	n := len(bad)
	if n > shown {
		bad = append(bad[:shown:shown], fmt.Errorf("and %d more", n-shown))
	}
	return fmt.Errorf("%d bad rows: %w", n, joined(bad))
}

// joined is errors.Join on one line: a terminal sentence, not a list.
type joined []error

func (j joined) Error() string {
	parts := make([]string, len(j))
	for i, err := range j {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "; ")
}

func (j joined) Unwrap() []error { return j }
