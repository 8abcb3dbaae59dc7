package table

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// ErrTable marks a file that is no flat Parquet table.
var ErrTable = errors.New("no usable parquet table")

// Extension ends the names of Parquet files.
const Extension = ".parquet"

// Is says by its name whether a file is Parquet.
func Is(path string) bool { return strings.HasSuffix(path, Extension) }

// Reader reads a file row by row. It is not for several goroutines.
type Reader struct {
	Header []string // the columns' names, in their order in the file

	file   *os.File
	texts  []func(parquet.Value) string
	groups []parquet.RowGroup // not begun
	rows   parquet.Rows       // of the one begun; nil for none
	batch  []parquet.Row
	at, n  int // in batch
}

// Open opens the file at path. The caller closes the Reader.
func Open(path string) (_ *Reader, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	defer damage(&err)
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	opened, err := parquet.OpenFile(file, info.Size(), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTable, err)
	}
	r := &Reader{file: file, groups: opened.RowGroups(), batch: make([]parquet.Row, 64)}
	return r, errors.Join(r.columns(opened.Schema()), checkCodecs(opened))
}

// damage turns a panic into an error: parquet-go trusts lengths and offsets, and says by a panic that they were wrong.
func damage(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: damaged: %v", ErrTable, p)
	}
}

func (r *Reader) columns(schema *parquet.Schema) error {
	for _, path := range schema.Columns() {
		leaf, _ := schema.Lookup(path...)
		if len(path) > 1 || leaf.MaxRepetitionLevel > 0 {
			return fmt.Errorf("%w: column %s is nested or a list", ErrTable, strings.Join(path, "."))
		}
		r.Header, r.texts = append(r.Header, path[0]), append(r.texts, textOf(leaf.Node))
	}
	return nil
}

// checkCodecs keeps LZ4 out: parquet-go answers damaged LZ4 with a buffer of twice the size, until there is no memory left.
func checkCodecs(file *parquet.File) error {
	for _, group := range file.Metadata().RowGroups {
		for _, column := range group.Columns {
			if codec := column.MetaData.Codec; codec == format.Lz4 || codec == format.Lz4Raw {
				return fmt.Errorf("%w: compressed with %v; write it with snappy, zstd, gzip or nothing", ErrTable, codec)
			}
		}
	}
	return nil
}

// textOf is how the values of a column become text.
func textOf(column parquet.Node) func(parquet.Value) string {
	if logical := column.Type().LogicalType(); logical != nil && column.Type().Kind() == parquet.Int64 {
		if stamp, ok := logical.Value.(*format.TimestampType); ok {
			unit := stamp.Unit.Value.Duration()
			return func(v parquet.Value) string {
				return time.Unix(0, v.Int64()*int64(unit)).UTC().Format(time.RFC3339Nano)
			}
		}
	}
	return parquet.Value.String
}

// Read is the next row, a text for each column; io.EOF after the last. The slice is the caller's.
func (r *Reader) Read() (row []string, err error) {
	defer damage(&err)
	for r.at == r.n {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	row = make([]string, len(r.Header))
	for _, v := range r.batch[r.at] {
		if i := v.Column(); !v.IsNull() && i >= 0 && i < len(row) {
			row[i] = r.texts[i](v)
		}
	}
	r.at++
	return row, nil
}

// fill reads the next rows of the row group, or goes on to the next.
func (r *Reader) fill() error {
	if r.rows == nil {
		if len(r.groups) == 0 {
			return io.EOF
		}
		r.rows, r.groups = r.groups[0].Rows(), r.groups[1:]
	}
	n, err := r.rows.ReadRows(r.batch)
	r.at, r.n = 0, n
	switch {
	case errors.Is(err, io.EOF):
		err, r.rows = r.rows.Close(), nil
	case err == nil && n == 0:
		err = io.ErrNoProgress
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTable, err)
	}
	return nil
}

// Close closes the file.
func (r *Reader) Close() error {
	var err error
	if r.rows != nil {
		err = r.rows.Close()
	}
	return errors.Join(err, r.file.Close())
}
