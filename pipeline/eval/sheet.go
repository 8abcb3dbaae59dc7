package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"planetag/enrich/cells/table"
)

// shown is how many bad rows one error names; the rest is a number.
const shown = 5

// sheet reads a CSV that starts with a line of column names, in any order, or a Parquet file.
type sheet struct {
	kind   error  // what errors wrap
	name   string // for messages
	next   func() (record []string, line int, err error)
	at     map[string]int
	header []string
}

// fields is one record, by column name; a column that the sheet lacks is empty.
type fields func(column string) string

// openSheet reads the header of a CSV and finds the needed columns in it.
func openSheet(r io.Reader, name string, kind error, need ...string) (*sheet, error) {
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	header, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w %s: no header line, the file is empty; its first line must name the columns %s", kind, name, strings.Join(need, ","))
	}
	if err != nil {
		return nil, fmt.Errorf("%w %s: no header line: %w", kind, name, err)
	}
	return newSheet(header, name, kind, need, func() ([]string, int, error) {
		record, err := lines.Read()
		line := 0
		if len(record) > 0 {
			line, _ = lines.FieldPos(0)
		}
		return record, line, err
	})
}

// openTable is openSheet of a Parquet file, whose rows are counted from 1.
func openTable(t *table.Reader, name string, kind error, need ...string) (*sheet, error) {
	row := 0
	return newSheet(t.Header, name, kind, need, func() ([]string, int, error) {
		row++
		record, err := t.Read()
		return record, row, err
	})
}

func newSheet(header []string, name string, kind error, need []string, next func() ([]string, int, error)) (*sheet, error) {
	s := &sheet{kind: kind, name: name, next: next, at: map[string]int{}}
	for i, h := range header {
		// Spreadsheets put a byte order mark before the first name.
		h = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		s.header = append(s.header, h)
		s.at[h] = i
	}
	if err := s.checkHeader(need); err != nil {
		return nil, fmt.Errorf("%w %s: %w", kind, name, err)
	}
	return s, nil
}

func (s *sheet) checkHeader(need []string) error {
	var missing []string
	for _, column := range need {
		if _, ok := s.at[column]; !ok {
			missing = append(missing, column)
		}
	}
	if len(missing) > 0 {
		has := fmt.Sprintf("%q", s.header) // quoted, because it may be anything, even a photo
		return fmt.Errorf("missing column %s (the header has: %.300s)", strings.Join(missing, ", "), strings.Trim(has, "[]"))
	}
	for i, column := range s.header {
		if slices.Contains(need, column) && s.at[column] != i {
			return fmt.Errorf("column %s is there twice; rename the one that is not meant", column)
		}
	}
	return nil
}

// read hands every record to parse, with its line. Records that parse refuses come back as one error that names the first
// of them; a sheet without any record is an error too.
func (s *sheet) read(parse func(line int, f fields) error) error {
	var bad []error
	for n := 0; ; n++ {
		record, line, err := s.next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return fmt.Errorf("%w %s: no rows below the header", s.kind, s.name)
			}
			break
		}
		if err != nil {
			bad = append(bad, s.broken(record, line, err))
			// A broken quote may swallow the rest; what follows would be nonsense.
			if !errors.Is(err, csv.ErrFieldCount) {
				break
			}
			continue
		}
		if err := parse(line, s.fieldsOf(record)); err != nil {
			bad = append(bad, fmt.Errorf("line %d%w", line, err))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	if n := len(bad); n > shown {
		bad = append(bad[:shown:shown], fmt.Errorf("and %d more", n-shown))
		return fmt.Errorf("%w %s: %d bad rows: %w", s.kind, s.name, n, joined(bad))
	}
	return fmt.Errorf("%w %s: %d bad rows: %w", s.kind, s.name, len(bad), joined(bad))
}

func (s *sheet) fieldsOf(record []string) fields {
	return func(column string) string {
		if i, ok := s.at[column]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
}

// broken is a record that could not be read.
func (s *sheet) broken(record []string, line int, err error) error {
	switch {
	case errors.Is(err, table.ErrTable):
		return fmt.Errorf("line %d: %w", line, err)
	case !errors.Is(err, csv.ErrFieldCount):
		return fmt.Errorf("%w; a value with a comma, a quote or a line break stands in double quotes, quotes inside it are doubled", err)
	}
	return fmt.Errorf("line %d: %d values, the header has %d columns; put values with a comma in double quotes", line, len(record), len(s.header))
}

// wrong says what is wrong with a column's value; the remedy is the end of the sentence.
func wrong(column, format string, args ...any) error {
	return fmt.Errorf(", column %s: %s", column, fmt.Sprintf(format, args...))
}

// position reads two columns of degrees.
func position(f fields, latColumn, lonColumn string) (lat, lon float64, err error) {
	if lat, err = degrees(f, latColumn); err != nil {
		return 0, 0, err
	}
	if lon, err = degrees(f, lonColumn); err != nil {
		return 0, 0, err
	}
	switch {
	case math.Abs(lat) > 90 && math.Abs(lat) <= 180 && math.Abs(lon) <= 90:
		return 0, 0, wrong(latColumn, "%g is outside -90…90 and %s is %g: they look swapped, latitude (north is positive) goes into %s", lat, lonColumn, lon, latColumn)
	case math.Abs(lat) > 90:
		return 0, 0, wrong(latColumn, "%g is outside -90…90 degrees", lat)
	case math.Abs(lon) > 180:
		return 0, 0, wrong(lonColumn, "%g is outside -180…180 degrees", lon)
	}
	return lat, lon, nil
}

func degrees(f fields, column string) (float64, error) {
	text := f(column)
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "":
		return 0, wrong(column, "empty; write degrees such as 48.8566, or leave the row out if the place is not known")
	case err != nil:
		return 0, wrong(column, "%q is not a number; write degrees with a decimal point, such as 48.8566", text)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, wrong(column, "%q is not a place; leave the row out if the place is not known", text)
	}
	return v, nil
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
