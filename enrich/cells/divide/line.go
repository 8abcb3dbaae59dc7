package divide

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"planetag/enrich/cells"
)

// lines is a block of a text file.
type lines struct {
	format format
	block  []byte
	first  int64 // number of its first line
}

func (l *lines) Size() int64 { return int64(len(l.block)) }

func (l *lines) Rows(add func(lat, lon float64, photographer string), bad func(BadRow)) error {
	rows := csv.NewReader(bytes.NewReader(l.block))
	rows.Comma, rows.ReuseRecord, rows.FieldsPerRecord = l.format.comma, true, -1
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			bad(BadRow{File: l.format.path, Row: l.first + int64(broken.StartLine) - 1, Reason: broken.Err.Error()})
			continue
		}
		if err != nil {
			return fmt.Errorf("%w: read %s: %w", ErrInput, l.format.path, err)
		}
		if lat, lon, who, wrong := l.format.parse(row); wrong.Reason == "" {
			add(lat, lon, who)
		} else {
			line, _ := rows.FieldPos(0)
			wrong.File, wrong.Row = l.format.path, l.first+int64(line)-1
			bad(wrong)
		}
	}
}

// parse takes the three columns of a row.
func (f format) parse(row []string) (lat, lon float64, who string, bad BadRow) {
	if last := max(f.at[0], f.at[1], f.at[2]); last >= len(row) {
		return 0, 0, "", BadRow{Reason: fmt.Sprintf("%d columns, column %d is needed", len(row), last+1)}
	}
	lat, errLat := strconv.ParseFloat(strings.TrimSpace(row[f.at[0]]), 64)
	lon, errLon := strconv.ParseFloat(strings.TrimSpace(row[f.at[1]]), 64)
	if f.at[2] >= 0 {
		who = row[f.at[2]]
	}
	if row[f.at[0]] == "" && row[f.at[1]] == "" {
		return 0, 0, "", BadRow{Reason: reasonEmpty}
	}
	if errLat != nil || errLon != nil {
		return 0, 0, "", BadRow{Reason: "not a number", Text: brief(row[f.at[0]] + ", " + row[f.at[1]])}
	}
	return lat, lon, who, wrongPosition(lat, lon)
}

// wrongPosition says why a coordinate is none; its Reason is empty if it is.
func wrongPosition(lat, lon float64) BadRow {
	if cells.Valid(lat, lon) {
		return BadRow{}
	}
	return BadRow{Reason: "not on the earth", Text: fmt.Sprintf("%v, %v", lat, lon), swap: cells.Valid(lon, lat)}
}

func brief(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
