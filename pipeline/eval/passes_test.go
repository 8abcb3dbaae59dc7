package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

const tinyCells = "../../enrich/testdata/tiny/cells.parquet"

func passOf(t *testing.T, photos string) ([]passed, error) {
	t.Helper()
	var out bytes.Buffer
	err := Pass(context.Background(), PassOptions{Cells: filepath.FromSlash(tinyCells), Travel: bundle.DefaultTravel(), TopK: 3}, strings.NewReader(photos), &out)
	var answers []passed
	for lines := json.NewDecoder(&out); lines.More(); {
		var p passed
		if err := lines.Decode(&p); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, p)
	}
	return answers, err
}

// TestPass: a photo that shows little, taken minutes after one that shows a place, was taken there; one of another album keeps
// its own answer. What comes out is in the order of what went in.
func TestPass(t *testing.T) {
	answers, err := passOf(t, `
		{"id": "vague", "album": "trip", "taken_at": "2024-05-01T10:05:00Z", "cell": [1, 0], "p": [0.3, 0.28]}
		{"id": "alone", "album": "home", "taken_at": "2024-05-01T10:00:00Z", "cell": [1, 0], "p": [0.3, 0.28]}
		{"id": "clear", "album": "trip", "taken_at": "2024-05-01T10:00:00Z", "cell": [0, 1], "p": [0.9, 0.05]}`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range answers {
		if len(a.Cell) == 0 || len(a.Cell) != len(a.P) || len(a.Cell) > 3 {
			t.Fatalf("%s: %d cells, %d probabilities", a.ID, len(a.Cell), len(a.P))
		}
		got = append(got, a.ID+" "+string(rune('0'+a.Cell[0])))
	}
	if want := "vague 0, alone 1, clear 0"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestPassRefuses(t *testing.T) {
	for _, tt := range []struct{ photos, want string }{
		{`{"id": "a", "cell": [0, 1], "p": [0.9]}`, "photo 1, a: 2 cells and 1 probabilities"},
		{`{"id": "a", "album": "x", "cell": [99], "p": [0.9]}`, `album "x": read album: photo 1 of 1`},
		{`{"id": "a", "cell": [0, 1], "p": [0.1, 0.9]}`, "listed after a less probable one"},
		{`{"id": "a", "cells": [0]}`, `photo 1: json: unknown field "cells"`},
		{`{"id": "a", "taken_at": "noon"}`, "photo 1: "},
	} {
		if _, err := passOf(t, tt.photos); !errors.Is(err, ErrPass) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.photos, err, tt.want)
		}
	}
	err := Pass(context.Background(), PassOptions{Cells: "gone.parquet"}, strings.NewReader(""), nil)
	if err == nil || errors.Is(err, cells.ErrCells) {
		t.Errorf("without a table: %v", err)
	}
}
