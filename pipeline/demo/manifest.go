package demo

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"
)

// readManifest reads manifest.csv at the top of the folder, by file. The columns file, lat, lon, taken_at and album are
// used; lat and lon may be empty where nobody knows, and so may the rest. A folder without a manifest has no truth.
func readManifest(files fs.FS) (map[string]photo, error) {
	f, err := files.Open(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseManifest(f)
}

func parseManifest(r io.Reader) (map[string]photo, error) {
	c := csv.NewReader(r)
	header, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: no header line: %w", manifestName, err)
	}
	at := map[string]int{}
	for i, name := range header {
		at[name] = i
	}
	if _, ok := at["file"]; !ok {
		return nil, fmt.Errorf("%s: missing column file", manifestName)
	}
	known := map[string]photo{}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return known, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", manifestName, err)
		}
		p, err := manifestRow(record, at)
		if err != nil {
			line, _ := c.FieldPos(0)
			return nil, fmt.Errorf("%s: line %d: %w", manifestName, line, err)
		}
		known[p.file] = p
	}
}

func manifestRow(record []string, at map[string]int) (photo, error) {
	field := func(name string) string {
		if i, ok := at[name]; ok {
			return record[i]
		}
		return ""
	}
	p := photo{file: field("file"), album: field("album")}
	if _, ok := at["album"]; !ok {
		p.album = AlbumOf(p.file)
	}
	if text := field("taken_at"); text != "" {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
			if t, err := time.Parse(layout, text); err == nil {
				p.takenAt = t
			}
		}
		if p.takenAt.IsZero() {
			return photo{}, fmt.Errorf("taken_at %q is not a time like 2019-05-01T14:03:00Z", text)
		}
	}
	if field("lat") == "" && field("lon") == "" {
		return p, nil
	}
	lat, errLat := strconv.ParseFloat(field("lat"), 64)
	lon, errLon := strconv.ParseFloat(field("lon"), 64)
	if errLat != nil || errLon != nil || !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) {
		return photo{}, fmt.Errorf("position %q, %q is not in degrees", field("lat"), field("lon"))
	}
	p.truth = &point{lat, lon}
	return p, nil
}
