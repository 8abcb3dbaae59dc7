package bundle

import (
	"errors"
	"os"
	"strings"
	"testing"
)

const tinyAlbum = "album: {file: album.onnx, graphs: {blstm: blstm.onnx}, input: embeddings, prob: prob, cell: cell, width: 8, top_k: 3, " +
	"modes: [none, average, lstm, lstm_repeat, blstm, hmm], default: lstm_repeat}"

// calibrated leaves only the tables that the modes need.
func calibrated(t *testing.T, dir string, drop ...string) {
	t.Helper()
	const table = ":\n    temperature: 1.0\n    abstain_below: 0.4\n    radius:\n" +
		"      - {confidence: 0.0, p50_m: 5000000, p90_m: 12000000}\n" +
		"      - {confidence: 0.4, p50_m: 60000, p90_m: 2000000}\n" +
		"      - {confidence: 0.8, p50_m: 20000, p90_m: 150000}\n"
	for _, mode := range drop {
		edit(t, dir, "  "+mode+table, "")
	}
}

func TestAlbumsWithoutAGraph(t *testing.T) {
	dir := copyTiny(t)
	edit(t, dir, tinyAlbum, "album: {modes: [none, average, hmm], default: hmm}")
	calibrated(t, dir, "lstm", "lstm_repeat", "blstm")
	b, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{Average, HMM, LSTM, BLSTM, None} {
		if file := b.Manifest.Album.Graph(mode); file != "" {
			t.Errorf("%s is answered by %q", mode, file)
		}
	}
	if got := b.Manifest.Album.Travel(); got != DefaultTravel() {
		t.Errorf("travel %+v, want the default", got)
	}
}

func TestAlbumGraphs(t *testing.T) {
	b, err := Read(tiny)
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]string{LSTM: "album.onnx", LSTMRepeat: "album.onnx", BLSTM: "blstm.onnx", Average: "", HMM: ""} {
		if got := b.Manifest.Album.Graph(mode); got != want {
			t.Errorf("%s: %q, want %q", mode, got, want)
		}
	}
}

func TestAlbumTravel(t *testing.T) {
	dir := copyTiny(t)
	edit(t, dir, "default: lstm_repeat}", "default: lstm_repeat, hmm: {hour_m: 900, stray: 0.1}}")
	b, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultTravel()
	want.HourMetres, want.Stray = 900, 0.1
	if got := b.Manifest.Album.Travel(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAlbumRefuses(t *testing.T) {
	for _, row := range []struct{ story, old, new, want string }{
		{"blstm without its graph", "graphs: {blstm: blstm.onnx}, ", "", `album.graphs.blstm is "", which is not among files`},
		{"a graph of an unknown mode", "graphs: {blstm", "graphs: {gru", `unknown field "gru"`},
		{"a graph that is not listed", "{blstm: blstm.onnx}", "{blstm: other.onnx}", `album.graphs.blstm is "other.onnx"`},
		{"lstm without its graph", "album: {file: album.onnx, ", "album: {", `album.file is ""`},
		{"a diary that is not listed", "default: lstm_repeat}", "default: lstm_repeat, diary: diary.parquet}", `album.diary is "diary.parquet", which is not among files`},
		{"an input without a name", "input: embeddings", "input: ''", "album.input is empty"},
		{"nobody strays", "default: lstm_repeat}", "default: lstm_repeat, hmm: {stray: -1}}", "album.hmm.stray is -1"},
		{"all stray", "default: lstm_repeat}", "default: lstm_repeat, hmm: {stray: 0.9}}", "album.hmm.stray is 0.9, want"},
		{"photos that see double", "default: lstm_repeat}", "default: lstm_repeat, hmm: {evidence: 2}}", "album.hmm.evidence is 2"},
		{"photos that see tenfold", "default: lstm_repeat}", "default: lstm_repeat, hmm: {look: 10}}", "album.hmm.look is 10, want"},
		{"a growth that is no number", "default: lstm_repeat}", "default: lstm_repeat, hmm: {growth: .nan}}", "album.hmm.growth is NaN"},
		{"an endless hour", "default: lstm_repeat}", "default: lstm_repeat, hmm: {hour_m: .inf}}", "album.hmm.hour_m is +Inf"},
		{"a misspelt parameter", "default: lstm_repeat}", "default: lstm_repeat, hmm: {speed: 3}}", `unknown field "speed"`},
	} {
		dir := copyTiny(t)
		edit(t, dir, row.old, row.new)
		if _, err := Read(dir); !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v\nwant ErrBundle with %q", row.story, err, row.want)
		}
	}
}

// TestToldPhotos: their table is read like the others, and held to the same.
func TestToldPhotos(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../testdata/dated")); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(dir); err != nil || b.Manifest.Calibration[Dated].At(0.5).P50 != 70e3 {
		t.Errorf("%v, %+v", err, b)
	}
	edit(t, dir, "p50_m: 70000,", "p50_m: 0,")
	if _, err := Read(dir); !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), "calibration.dated: radius row 0: p50_m 0") {
		t.Errorf("a radius of nothing: %v", err)
	}
}
