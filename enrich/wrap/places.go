package wrap

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"planetag/enrich/cells"
	"planetag/enrich/cells/divide"
	"planetag/enrich/cells/table"
)

// storedCell is a row of cells.parquet. A table of classes says nothing of countries, so nor does the file; nor how
// the photos of a cell are spread, which the file takes to be evenly: it is what tells half a continent from a town.
type storedCell struct {
	Cell      string  `parquet:"cell"`
	Lat       float64 `parquet:"lat"`
	Lon       float64 `parquet:"lon"`
	Level     int32   `parquet:"level"`
	Photos    int64   `parquet:"photos"`
	RadiusP50 float64 `parquet:"radius_p50_m"`
	Places    string  `parquet:"places"`
}

type storedSpot struct {
	Lat float64 `parquet:"lat"`
	Lon float64 `parquet:"lon"`
}

// writePlaces writes cells.parquet and, of classes that are points, gallery.parquet.
func (b *making) writePlaces(ctx context.Context) error {
	var err error
	if b.table.cells {
		err = b.writeCells()
	} else {
		err = b.divide(ctx)
	}
	if err != nil {
		return err
	}
	loaded, err := cells.Load(b.path("cells.parquet"))
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrClasses, b.Options.Classes, err)
	}
	b.Cells = loaded.Len()
	return nil
}

func (b *making) writeCells() error {
	var rows []storedCell
	for _, label := range b.table.order() {
		p := b.table.rows[label]
		rows = append(rows, storedCell{p.id.ToToken(), p.lat, p.lon, int32(p.id.Level()), p.photos, cells.Radius(p.id) / math.Sqrt2, ""})
	}
	return writeTable(b.path("cells.parquet"), rows)
}

// divide writes the points as they are, and divides the earth by them.
func (b *making) divide(ctx context.Context) error {
	var spots []storedSpot
	var list bytes.Buffer
	lines := csv.NewWriter(&list)
	_ = lines.Write([]string{"lat", "lon"}) // to memory
	for _, p := range b.table.rows {
		spots = append(spots, storedSpot{p.lat, p.lon})
		_ = lines.Write([]string{strconv.FormatFloat(p.lat, 'g', -1, 64), strconv.FormatFloat(p.lon, 'g', -1, 64)})
	}
	lines.Flush()
	listed := b.path("places.csv")
	if err := errors.Join(writeTable(b.path("gallery.parquet"), spots), os.WriteFile(listed, list.Bytes(), 0o600)); err != nil {
		return err
	}
	defer os.Remove(listed)
	source, err := divide.Open([]string{listed}, divide.Columns{})
	if err != nil {
		return err
	}
	o := divide.Options{Rules: divide.Rules{MaxPhotos: 1, MinPhotos: 1, MinLevel: 2, MaxLevel: LevelCap}, Memory: 1 << 28}
	built, err := divide.Build(ctx, source, o)
	if err != nil {
		return err
	}
	return divide.Write(b.path("cells.parquet"), built.Rows, built.Recipe(o, divide.Recipe{}))
}

func writeTable[R any](path string, rows []R) error {
	var file bytes.Buffer
	out := table.NewWriter[R](&file)
	for _, row := range rows {
		if err := out.Write(row); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, file.Bytes(), 0o644)
}
