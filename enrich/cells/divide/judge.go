package divide

import (
	"context"
	"fmt"

	"planetag/enrich/cells"
)

// Judged is how well a division could place given coordinates.
type Judged struct {
	Oracle
	Photos  int64   `json:"photos"`
	Outside float64 `json:"outside"` // share of photos in no cell; the other figures are without them
	Bad     Bad     `json:"bad_rows"`
}

// Judge places every coordinate of a source in its cell and measures how far
// the cell's location is. Errors: ErrInput, ErrRows, the context's.
func Judge(ctx context.Context, table *cells.Cells, source Source, maxBad float64) (Judged, error) {
	var t tally
	var o oracle
	outside := int64(0)
	err := source.Units(ctx, func(u Unit) error {
		rows, bad := int64(0), []BadRow(nil)
		err := u.Rows(func(lat, lon float64, _ string) {
			rows++
			i, ok := table.Find(lat, lon)
			if !ok {
				outside++
				return
			}
			at := table.At(i)
			o.add(cells.DistanceMetres(lat, lon, at.Lat, at.Lon), 1)
		}, func(b BadRow) { bad = append(bad, b) })
		t.add(rows, bad)
		return err
	})
	if err == nil {
		err = t.check(maxBad)
	}
	if err != nil {
		return Judged{}, fmt.Errorf("judge cells: %w", err)
	}
	return Judged{Oracle: o.result(), Photos: t.rows, Outside: float64(outside) / float64(t.rows), Bad: t.bad}, nil
}
