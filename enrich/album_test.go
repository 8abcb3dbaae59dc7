package enrich

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"planetag/enrich/infer"
)

// membersOf is an album of which nothing is known but what is seen.
func membersOf(sights []Sight) []Member {
	album := make([]Member, len(sights))
	for i, s := range sights {
		album[i].Sight = s
	}
	return album
}

func TestAlbumModes(t *testing.T) {
	m := loadTiny(t)
	album := membersOf(see(t, m, grey, red, red, grey))
	tests := []struct {
		mode string
		want []string // country per photo, "" = abstained
	}{
		{"average", []string{"Italy", "Italy", "Italy", "Italy"}},
		{"lstm", []string{"", "Italy", "Italy", "Italy"}}, // nothing seen yet at the first
		{"lstm_repeat", []string{"Italy", "Italy", "Italy", "Italy"}},
		{"blstm", []string{"Italy", "Italy", "Italy", "Italy"}},
		{"hmm", []string{"Italy", "Italy", "Italy", "Italy"}},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			readings, err := m.Album(context.Background(), tt.mode, album)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range readings {
				a := m.AnswerAlbum(tt.mode, r)
				if a.Abstained {
					a.Place.Country = ""
				}
				got = append(got, a.Place.Country)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if readings, err := m.Album(context.Background(), tt.mode, nil); err != nil || len(readings) != 0 {
				t.Errorf("an empty album: %v, %v", readings, err)
			}
		})
	}
}

func TestAlbumRefuses(t *testing.T) {
	m := loadTiny(t)
	album := membersOf(see(t, m, grey, red, red, grey))
	for _, mode := range []string{"none", "single", "", "LSTM"} {
		if _, err := m.Album(context.Background(), mode, album); !errors.Is(err, ErrMode) {
			t.Errorf("mode %q: %v", mode, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Album(ctx, "lstm", album); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	album[2].Sight.Embedding[3] = float32(math.NaN())
	if _, err := m.Album(context.Background(), "lstm", album); !errors.Is(err, ErrOutput) {
		t.Errorf("an embedding that is no number: %v", err)
	}
}

func TestAverage(t *testing.T) {
	album := []Member{
		{Sight: Sight{Top: []Candidate{{7, 0.6}, {2, 0.2}}}},
		{Sight: Sight{Top: []Candidate{{2, 0.5}, {9, 0.4}, {7, 0.1}}}},
	}
	want := []Candidate{{2, 0.35}, {7, 0.35}}
	got := average(album, 2)
	if len(got) != 2 || got[0].Cell != want[0].Cell || got[1].Cell != want[1].Cell || math.Abs(got[0].P-0.35) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestGapsReachTheGraph: a graph that takes the times between the photos is told them.
func TestGapsReachTheGraph(t *testing.T) {
	m := loadTiny(t)
	echo, err := m.runtime.OpenAlbum(infer.AlbumSpec{
		Path: "testdata/gaps.onnx", Input: "embeddings", Gaps: "gaps", Prob: "prob", Cell: "cell", Width: 8, TopK: 3, Classes: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = echo.Close() })
	own := maps.Clone(m.albums)
	for _, mode := range []string{"lstm", "lstm_repeat"} {
		m.albums[mode] = echo
	}
	t.Cleanup(func() { m.albums = own })
	album := membersOf(see(t, m, grey, grey, grey, grey, grey))
	for i, at := range []time.Time{noon, noon.Add(9 * time.Second), noon, {}, noon} {
		album[i].TakenAt = at
	}
	for _, mode := range []string{"lstm", "lstm_repeat"} {
		tops, err := m.tops(t.Context(), mode, album)
		if err != nil {
			t.Fatal(err)
		}
		for i, gap := range []float64{0, math.Log(10), math.Log(10), -1, -1} {
			first := 0.0
			for _, c := range tops[i] {
				if c.Cell == 0 {
					first = c.P
				}
			}
			want := math.Exp(gap) / (math.Exp(gap) + 3)
			if gap < 0 {
				want = 0 // the least of four is not among the three listed
			}
			if math.Abs(first-want) > 1e-5 {
				t.Errorf("%s: photo %d got probability %.5f, want %.5f", mode, i, first, want)
			}
		}
	}
}

// TestBundleWhoseGraphTakesGaps is loaded and answers.
func TestBundleWhoseGraphTakesGaps(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	graph, err := os.ReadFile("testdata/gaps.onnx")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "bundle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`path: album\.onnx, bytes: \d+, sha256: \w+`)
	text := line.ReplaceAllString(string(manifest), fmt.Sprintf("path: album.onnx, bytes: %d, sha256: %x", len(graph), sha256.Sum256(graph)))
	text = strings.Replace(text, "file: album.onnx, graphs: {blstm: blstm.onnx},", "file: album.onnx, gaps: gaps,", 1)
	text = strings.Replace(text, "lstm_repeat, blstm, hmm]", "lstm_repeat, hmm]", 1)
	text = regexp.MustCompile(`(?s)  blstm:\n.*?\n  hmm:`).ReplaceAllString(text, "  hmm:")
	for name, data := range map[string][]byte{"album.onnx": graph, "bundle.yaml": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := loadTiny(t, func(o *Options) { o.Bundle, o.SkipGolden = dir, true })
	readings, err := m.Album(context.Background(), "lstm", membersOf(see(t, m, red, red)))
	if err != nil || len(readings) != 2 || m.Offers("blstm") {
		t.Errorf("%v, %v", readings, err)
	}
}
