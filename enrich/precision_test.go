package enrich

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"planetag/enrich/bundle"
)

// twins is the tiny bundle with a second network: the first one, changed.
func twins(t *testing.T, change func([]byte) []byte) string {
	t.Helper()
	return remade(t, tiny, func(b *bundle.Bundle) {
		network, err := os.ReadFile(b.Path(b.Manifest.CNN.File))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.Path("cnn.int8.onnx"), change(network), 0o600); err != nil {
			t.Fatal(err)
		}
		b.Manifest.CNN.Int8 = "cnn.int8.onnx"
	})
}

// remade is a copy of a bundle, changed and listed anew.
func remade(t testing.TB, from string, change func(b *bundle.Bundle)) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	change(b)
	if err := bundle.Write(dir, b.Manifest); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPrecisionIsChosen(t *testing.T) {
	same := twins(t, bytes.Clone)
	stranger := twins(t, func(network []byte) []byte { // what spoke for a colour speaks against it
		gain := binary.LittleEndian.AppendUint32(nil, math.Float32bits(4)) // of each colour
		return bytes.ReplaceAll(network, gain, binary.LittleEndian.AppendUint32(nil, math.Float32bits(-4)))
	})
	for _, row := range []struct {
		name, bundle, asked string
		want                string // Info.Precision; "" = any
		err                 error
		words               string
	}{
		{"a bundle with one network", tiny, Auto, Float, nil, "the bundle has no other"},
		{"a bundle with one network, asked for two", tiny, Int8, "", bundle.ErrBundle, "set bundle.precision to auto or float"},
		{"float is set", same, Float, Float, nil, "as set"},
		{"int8 is set", same, Int8, Int8, nil, "the least cosine of embeddings is 1.0000"},
		{"the cheaper one", same, Auto, "", nil, "% of float's processor time here"},
		{"another network in its place", stranger, Auto, "", ErrGolden, "cnn.int8 is another network"},
		{"… which nobody uses", stranger, Float, Float, nil, "as set"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := Options{Library: library(t), Bundle: row.bundle, Precision: row.asked}
			report, err := Verify(context.Background(), o)
			last := report.Checks[len(report.Checks)-1]
			if last.Name != "precision" || !strings.Contains(last.Detail, row.words) {
				t.Errorf("%s says %q, want %q", last.Name, last.Detail, row.words)
			}
			if !errors.Is(err, row.err) {
				t.Fatalf("error %v, want %v", err, row.err)
			}
			if row.err != nil {
				return
			}
			m, err := Load(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if got := m.Info().Precision; got != row.want && row.want != "" {
				t.Errorf("%s is in use, want %s", got, row.want)
			}
			if _, err := m.Embed(context.Background(), [][]byte{make([]byte, m.Info().InputBytes)}); err != nil {
				t.Error("the network that was chosen does not run:", err)
			}
		})
	}
}
