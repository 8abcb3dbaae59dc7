package divide

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// blockSize is about how many bytes of a text file one worker reads at a time.
const blockSize = 4 << 20

// mostRecord is where a record is no longer believed: one quote too many makes
// the rest of a file a single field.
const mostRecord = 64 << 20

// textFile is a file of lines with a header.
type textFile struct {
	path    string
	columns Columns
	size    int64
	block   int // bytes of a unit, about
}

func openText(path string, columns Columns) (Source, error) {
	if path == "-" {
		return &textFile{path, columns, 0, blockSize}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	return &textFile{path, columns, info.Size(), blockSize}, nil
}

func (t *textFile) Size() int64 { return t.size }

// Units cuts the file into blocks that end at the end of a record. A line may
// be part of a quoted field, so what is looked for is a line end with an even
// number of quotes before it.
func (t *textFile) Units(ctx context.Context, each func(Unit) error) error {
	file := os.Stdin
	if t.path != "-" {
		var err error
		if file, err = os.Open(t.path); err != nil {
			return fmt.Errorf("%w: %w", ErrInput, err)
		}
		defer file.Close()
	}
	in := bufio.NewReaderSize(file, 1<<16)
	format, err := t.header(in)
	if err != nil {
		return err
	}
	var rest []byte
	for line := format.line; ctx.Err() == nil; {
		block, left, err := t.next(in, rest)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return fmt.Errorf("%w: read %s, line %d: %w", ErrInput, t.path, line, err)
		}
		if len(block) > 0 {
			if err := each(&lines{format: format, block: block, first: line}); err != nil {
				return err
			}
			line += int64(bytes.Count(block, []byte{'\n'}))
		}
		if ended {
			return nil
		}
		rest = left
	}
	return context.Cause(ctx)
}

// next is the next block of whole records and the beginning of the one after
// it, given what was left of the block before; io.EOF comes with the last.
func (t *textFile) next(in io.Reader, rest []byte) (block, left []byte, err error) {
	block = make([]byte, max(t.block, len(rest)+(t.block+1)/2))
	n := copy(block, rest)
	read, err := io.ReadFull(in, block[n:])
	block = block[:n+read]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return block, nil, io.EOF
	}
	if err != nil {
		return nil, nil, err
	}
	end := lastRecordEnd(block)
	if left = block[end:]; len(left) > mostRecord {
		return nil, nil, fmt.Errorf("the record does not end within %d MB: is a quote in it never closed?", mostRecord>>20)
	}
	return block[:end], left, nil
}

// lastRecordEnd is behind the last line end that is outside of quotes; 0 if
// there is none.
func lastRecordEnd(block []byte) int {
	quotes := bytes.Count(block, []byte{'"'})
	for end := len(block); end > 0; {
		newline := bytes.LastIndexByte(block[:end], '\n')
		if newline < 0 {
			return 0
		}
		quotes -= bytes.Count(block[newline:end], []byte{'"'})
		if quotes%2 == 0 {
			return newline + 1
		}
		end = newline
	}
	return 0
}

// format is what the first line of a file says about the others.
type format struct {
	path  string
	comma rune
	at    [3]int // lat, lon, photographer (-1: not known)
	line  int64  // number of the first line of data
}

// header reads the first line, unless the columns are numbered: then the file
// has none.
func (t *textFile) header(in *bufio.Reader) (format, error) {
	f := format{path: t.path, comma: ',', line: 1}
	start, _ := in.Peek(1 << 16)
	if i := bytes.IndexByte(start, '\n'); i >= 0 {
		start = start[:i]
	}
	if len(start) == 0 {
		return f, fmt.Errorf("%w: %s is empty", ErrInput, t.path)
	}
	if bytes.IndexByte(start, '\t') >= 0 && bytes.IndexByte(start, ',') < 0 {
		f.comma = '\t'
	}
	if at, numbered := t.columns.numbered(); numbered {
		f.at = at
		return f, nil
	}
	line, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("%w: read %s: %w", ErrInput, t.path, err)
	}
	rows := csv.NewReader(strings.NewReader(line))
	rows.Comma = f.comma
	names, err := rows.Read()
	if err != nil {
		return f, fmt.Errorf("%w: %s: header: %w", ErrInput, t.path, err)
	}
	f.line++
	if f.at, err = t.columns.find(names); err != nil {
		return f, fmt.Errorf("%s: %w", t.path, err)
	}
	return f, nil
}

// numbered tells whether latitude and longitude are given as numbers.
func (c Columns) numbered() (at [3]int, ok bool) {
	for i, name := range []string{c.Lat, c.Lon, c.Photographer} {
		n, err := strconv.Atoi(name)
		if err != nil && (i < 2 || name != "") {
			return at, false
		}
		at[i] = n - 1
	}
	return at, at[0] >= 0 && at[1] >= 0
}
