package eval

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// ErrPass marks a list of probabilities that no album can be made of.
var ErrPass = errors.New("read probabilities")

// PassOptions says over which division, and how, the mode hmm reads albums of which the probabilities are known.
type PassOptions struct {
	Cells  string // cells.parquet
	Travel bundle.Travel
	TopK   int // classes of an answer, at most
}

// passed is one photo: a line of JSON in, and one out, which has its probabilities changed.
type passed struct {
	ID      string    `json:"id"`
	Album   string    `json:"album"`
	TakenAt time.Time `json:"taken_at,omitzero"`
	Cell    []int     `json:"cell"` // rows of the cells file, the most probable first
	P       []float64 `json:"p"`
}

// Pass reads photos, a JSON object a line, and writes what the mode hmm makes of each in its album, in their order. Errors
// are ErrPass, cells.ErrCells and ctx's.
func Pass(ctx context.Context, o PassOptions, in io.Reader, out io.Writer) error {
	table, err := cells.Load(o.Cells)
	if err != nil {
		return err
	}
	photos, rows, err := readPassed(in)
	if err != nil {
		return err
	}
	model := enrich.NewHMM(table, o.Travel, o.TopK)
	for _, group := range albums(rows) {
		members := make([]enrich.Member, len(group))
		for k, i := range group {
			members[k] = photos[i].member()
		}
		readings, err := model.Album(ctx, members)
		if errors.Is(err, enrich.ErrOutput) {
			err = fmt.Errorf("%w: album %q: %w", ErrPass, rows[group[0]].Album, err)
		}
		if err != nil {
			return err
		}
		for k, i := range group {
			photos[i].take(readings[k].Top)
		}
	}
	buffered := bufio.NewWriter(out)
	lines := json.NewEncoder(buffered)
	for _, p := range photos {
		if err := lines.Encode(p); err != nil {
			return fmt.Errorf("write probabilities: %w", err)
		}
	}
	return buffered.Flush()
}

func readPassed(in io.Reader) ([]passed, []Row, error) {
	var photos []passed
	var rows []Row
	lines := json.NewDecoder(bufio.NewReader(in))
	lines.DisallowUnknownFields()
	for {
		var p passed
		err := lines.Decode(&p)
		switch {
		case errors.Is(err, io.EOF):
			return photos, rows, nil
		case err != nil:
			return nil, nil, fmt.Errorf("%w: photo %d: %w", ErrPass, len(photos)+1, err)
		case len(p.Cell) != len(p.P):
			return nil, nil, fmt.Errorf("%w: photo %d, %s: %d cells and %d probabilities, want as many of each", ErrPass, len(photos)+1, p.ID, len(p.Cell), len(p.P))
		}
		photos, rows = append(photos, p), append(rows, Row{ID: p.ID, Album: p.Album, TakenAt: p.TakenAt})
	}
}

func (p passed) member() enrich.Member {
	m := enrich.Member{TakenAt: p.TakenAt}
	for i, cell := range p.Cell {
		m.Sight.Top = append(m.Sight.Top, enrich.Candidate{Cell: cell, P: p.P[i]})
	}
	return m
}

func (p *passed) take(top []enrich.Candidate) {
	p.Cell, p.P = p.Cell[:0], p.P[:0]
	for _, c := range top {
		p.Cell, p.P = append(p.Cell, c.Cell), append(p.P, c.P)
	}
}
