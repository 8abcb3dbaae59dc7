package cells

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// ErrDiary says that a file does not say on which days photos were taken in which cells.
var ErrDiary = errors.New("diary is not usable")

// Entry says how many photos of an archive were taken in a cell on a day.
type Entry struct {
	Day    int // since 1970-01-01, UTC
	Row    int // of the cells file
	Photos int64
}

var diaryColumns = []column[Entry]{
	{"day", parquet.Int32, func(e *Entry, v parquet.Value) { e.Day = int(v.Int32()) }, false},
	{"row", parquet.Int32, func(e *Entry, v parquet.Value) { e.Row = int(v.Int32()) }, false},
	{"photos", parquet.Int64, func(e *Entry, v parquet.Value) { e.Photos = v.Int64() }, false},
}

// LoadDiary reads diary.parquet: columns day (a date), row (of the cells) and photos. Every refusal is ErrDiary with the
// row and the reason.
func (c *Cells) LoadDiary(path string) ([]Entry, error) {
	entries, err := someRows("diary", path, diaryColumns, ErrDiary)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if e.Row < 0 || e.Row >= c.Len() || e.Photos < 1 {
			return nil, fmt.Errorf("%w: row %d: %d photos in row %d of %d cells", ErrDiary, i, e.Photos, e.Row, c.Len())
		}
	}
	return entries, nil
}
