package survey

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"planetag/pipeline"
)

// ErrJournal says that the journal beside the manifest is somebody else's.
var ErrJournal = errors.New("cannot go on with this survey")

// entry is one line of a journal: what the survey is of, a page of the listing, a
// photo that was read, or that the listing has come to its end.
type entry struct {
	Of      *heading                `json:"of,omitempty"`
	Page    []pipeline.Listed       `json:"page,omitempty"`
	Skipped map[string]skippedCount `json:"skipped,omitempty"` // with the page
	After   string                  `json:"after,omitempty"`   // with the page: its last key, skipped ones included
	Photo   *Photo                  `json:"photo,omitempty"`
	Listed  bool                    `json:"listed,omitempty"`
}

// heading is what a journal must agree on with who wants to go on with it.
type heading struct {
	Archive string   `json:"archive"`
	OptOut  []string `json:"opt_out,omitempty"`
	Hashes  bool     `json:"hashes,omitempty"`
}

// skippedCount are objects that were not read.
type skippedCount struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// journal is a file of lines that only grows. A line is written with one call, so
// a killed process leaves at most its last line unfinished, and that one is cut
// off by the next.
type journal struct {
	mu   sync.Mutex
	file *os.File
}

// left is what a journal says is still to be done.
type left struct {
	pages []pipeline.Listed // listed, but not read
	after string            // list on from here
	all   bool              // everything was listed
}

// openJournal opens or begins the journal at path.
func openJournal(path string, of heading) (*journal, left, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, left{}, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	j := &journal{file: file}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, left{}, errors.Join(fmt.Errorf("%w: another one is writing %s", ErrJournal, path), file.Close())
	}
	todo, err := j.resume(of)
	if err != nil {
		return nil, left{}, errors.Join(fmt.Errorf("%w: %s: %w", ErrJournal, path, err), file.Close())
	}
	return j, todo, nil
}

// resume reads what is there, cuts off an unfinished line, and writes the heading
// if nothing is there.
func (j *journal) resume(of heading) (left, error) {
	todo := left{}
	open := map[string]pipeline.Listed{}
	end, err := eachEntry(j.file, func(e entry) error {
		switch {
		case e.Of != nil:
			if was, is := text(*e.Of), text(of); was != is {
				return fmt.Errorf("it is of %s, not of %s: finish that one, or delete the file", was, is)
			}
		case e.Photo != nil:
			delete(open, e.Photo.Key)
		case e.Listed:
			todo.all = true
		default:
			todo.after = e.After
			for _, o := range e.Page {
				open[o.Key] = o
			}
		}
		return nil
	})
	if err != nil {
		return left{}, err
	}
	if err := errors.Join(j.file.Truncate(end), seekTo(j.file, end)); err != nil {
		return left{}, err
	}
	for _, o := range open {
		todo.pages = append(todo.pages, o)
	}
	if end == 0 {
		return todo, j.add(entry{Of: &of})
	}
	return todo, nil
}

func seekTo(file *os.File, at int64) error {
	_, err := file.Seek(at, io.SeekStart)
	return err
}

func text(h heading) string {
	line, _ := json.Marshal(h) // of strings only
	return string(line)
}

// eachEntry reads a journal from its start and returns where its last whole line
// ends.
func eachEntry(file io.ReadSeeker, do func(entry) error) (end int64, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	lines := bufio.NewReaderSize(file, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		var e entry
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil {
			return end, fmt.Errorf("byte %d: %w: it is damaged, delete it to start again", end, err)
		}
		if err := do(e); err != nil {
			return end, err
		}
		end += int64(len(line))
	}
}

// add writes a line.
func (j *journal) add(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}
