package table

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// group is how many rows are held before they are written: memory, against the size of the file.
const group = 10_000

// Writer writes rows of type R, a struct whose fields say by the tag `parquet` what their columns are called.
type Writer[R any] struct {
	to     *parquet.GenericWriter[R]
	buffer []R
}

// NewWriter starts a file. The same rows give the same bytes.
func NewWriter[R any](w io.Writer) *Writer[R] {
	return &Writer[R]{to: parquet.NewGenericWriter[R](w,
		parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(group), parquet.CreatedBy("planetag", "1", "table"))}
}

// Write adds one row.
func (w *Writer[R]) Write(row R) error {
	if w.buffer = append(w.buffer, row); len(w.buffer) < group {
		return nil
	}
	return w.flush()
}

func (w *Writer[R]) flush() error {
	if _, err := w.to.Write(w.buffer); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	clear(w.buffer)
	w.buffer = w.buffer[:0]
	return nil
}

// Close writes what is held, and the end of the file, which is no table without it.
func (w *Writer[R]) Close() error {
	if err := errors.Join(w.flush(), w.to.Close()); err != nil {
		return fmt.Errorf("finish table: %w", err)
	}
	return nil
}
