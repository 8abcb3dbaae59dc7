package bundle

import (
	"errors"
	"fmt"
	"slices"
)

// AlbumModes are all album modes there are.
func AlbumModes() []string { return []string{None, Average, LSTM, LSTMRepeat, BLSTM, HMM} }

// InEveryBundle says whether the album mode needs nothing but the network and the
// cells, so that every bundle has it, if only to be measured.
func InEveryBundle(mode string) bool { return mode == Average || mode == HMM }

// Graph is the file of the graph that a mode is answered by; "" for a mode that
// needs none.
func (a Album) Graph(mode string) string {
	switch mode {
	case LSTM, LSTMRepeat:
		return a.File
	case BLSTM:
		return a.Graphs.BLSTM
	}
	return ""
}

// files are the graphs that must be among the bundle's files, by their keys: all
// that are named, and all that a mode needs.
func (a Album) files() map[string]string {
	files := map[string]string{}
	if a.File != "" || slices.Contains(a.Modes, LSTM) || slices.Contains(a.Modes, LSTMRepeat) {
		files["album.file"] = a.File
	}
	if a.Graphs.BLSTM != "" || slices.Contains(a.Modes, BLSTM) {
		files["album.graphs."+BLSTM] = a.Graphs.BLSTM
	}
	return files
}

func (a Album) check(cnn CNN) error {
	errs := []error{a.checkModes(), a.Travel().check()}
	if len(a.files()) > 0 {
		errs = append(errs, a.checkGraphs(cnn))
	}
	return errors.Join(errs...)
}

// checkGraphs looks at what all graphs have in common.
func (a Album) checkGraphs(cnn CNN) error {
	var errs []error
	for _, f := range []struct{ key, value string }{
		{"input", a.Input}, {"prob", a.Prob}, {"cell", a.Cell},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("album.%s is empty", f.key))
		}
	}
	if a.Width != cnn.Width {
		errs = append(errs, fmt.Errorf("album.width is %d, but cnn.width is %d: the album model reads what the network writes", a.Width, cnn.Width))
	}
	if a.TopK < 1 {
		errs = append(errs, fmt.Errorf("album.top_k is %d, want at least 1", a.TopK))
	}
	return errors.Join(errs...)
}

func (a Album) checkModes() error {
	var errs []error
	known := AlbumModes()
	for i, mode := range a.Modes {
		if !slices.Contains(known, mode) || slices.Contains(a.Modes[:i], mode) {
			errs = append(errs, fmt.Errorf("album.modes has %q, want each of %v at most once", mode, known))
		}
	}
	if !slices.Contains(a.Modes, a.Default) {
		errs = append(errs, fmt.Errorf("album.default is %q, which is not among album.modes %v", a.Default, a.Modes))
	}
	return errors.Join(errs...)
}
