package enrich

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"planetag/enrich/decode"
	"planetag/enrich/infer"
)

const tiny = "testdata/tiny"

// library is the path of ONNX Runtime. A test that needs it is skipped where
// there is none, unless everything is required.
func library(t testing.TB) string {
	t.Helper()
	path, err := infer.FindLibrary("")
	if err == nil {
		return path
	}
	if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

func loadTiny(t testing.TB, change ...func(*Options)) *Model {
	t.Helper()
	o := Options{Library: library(t), Bundle: tiny}
	for _, c := range change {
		c(&o)
	}
	m, err := Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// see is what the model sees in photos of one colour each.
func see(t testing.TB, m *Model, colours ...[3]byte) []Sight {
	t.Helper()
	var photos [][]byte
	for _, c := range colours {
		photos = append(photos, slices.Repeat(c[:], m.Info().InputBytes/3))
	}
	sights, err := m.Embed(context.Background(), photos)
	if err != nil {
		t.Fatal(err)
	}
	return sights
}

var (
	red, green, blue = [3]byte{255, 0, 0}, [3]byte{0, 255, 0}, [3]byte{0, 0, 255}
	white, grey      = [3]byte{255, 255, 255}, [3]byte{100, 100, 100}
)

// TestOnePhoto walks a photo file from its bytes to its place.
func TestOnePhoto(t *testing.T) {
	m := loadTiny(t)
	data, err := os.ReadFile(filepath.Join(tiny, "golden", "red.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]byte, m.Info().InputBytes)
	photo, err := m.Decode(t.Context(), data, pixels)
	info := photo.Info
	if err != nil || info.Width != 64 || info.Height != 48 || info.Format != "jpeg" {
		t.Fatalf("decoded %+v, %v", info, err)
	}
	sights, err := m.Embed(context.Background(), [][]byte{pixels})
	if err != nil {
		t.Fatal(err)
	}
	got := m.Answer("single", sights[0].Top)
	want := Answer{
		Lat: 41.9028, Lon: 12.4964, RadiusP50: 20000, RadiusP90: 150000, Confidence: got.Confidence, Entropy: got.Entropy,
		ExpectedError: got.ExpectedError, CountryP: got.Confidence * 0.9, // nine of ten of the cell's photos
		Cell: "132f7", Level: 8, Ancestors: []string{"13", "133", "132f"},
		Rollup:     Located{"132f7", 8, got.Confidence, 41.9028, 12.4964},
		Place:      Place{"IT", "Italy", "Lazio"},
		Candidates: got.Candidates,
	}
	if !reflect.DeepEqual(got, want) || math.Abs(got.Confidence-0.9370) > 0.01 || len(got.Candidates) != 3 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := m.Decode(t.Context(), []byte("not a photo"), pixels); !errors.Is(err, decode.ErrFormat) {
		t.Errorf("a text: %v", err)
	}
}

func TestColoursLeadToCities(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, red, green, blue, white, grey)
	for i, want := range []string{"Italy", "France", "United States", "Australia"} {
		if got := m.Answer("single", sights[i].Top); got.Place.Country != want || got.Abstained {
			t.Errorf("photo %d is in %+v, want %s", i, got, want)
		}
	}
	if got := m.Answer("single", sights[4].Top); !got.Abstained {
		t.Errorf("grey is somewhere: %+v", got)
	}
}

func TestInfo(t *testing.T) {
	m := loadTiny(t)
	got := m.Info()
	if len(got.SHA256) != 64 || got.Library == "" || got.LibraryVersion == "" {
		t.Errorf("identity %+v", got)
	}
	got.SHA256, got.Library, got.LibraryVersion = "", "", ""
	want := Info{
		Name: "tiny", Version: "1.0.0", Licence: "Apache-2.0",
		InputBytes: 32 * 32 * 3, EmbeddingWidth: 8, TopK: 3, Cells: 4, PrecisionCap: 12, Precision: Float,
		Placement: infer.Placement{Provider: infer.ProviderCPU},
		Modes:     []string{"none", "average", "lstm", "lstm_repeat", "blstm", "hmm"}, DefaultMode: "lstm_repeat",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if lat, lon := m.Prior(); lat != 41.9028 || lon != 12.4964 {
		t.Errorf("the place with most photos is %v, %v", lat, lon)
	}
}

func TestPrecisionCapOnlyCoarsens(t *testing.T) {
	m := loadTiny(t, func(o *Options) { o.PrecisionCap = 4 })
	got := m.Answer("single", see(t, m, red)[0].Top)
	if got.Level != 4 || got.Cell != "133" || got.RadiusP50 < 250e3 || m.Info().PrecisionCap != 4 {
		t.Errorf("got %+v", got)
	}
	for _, level := range []int{13, 30, -1} {
		_, err := Load(context.Background(), Options{Bundle: tiny, PrecisionCap: level})
		if err == nil || !strings.Contains(err.Error(), "the finest level the bundle allows") {
			t.Errorf("a cap of %d: %v", level, err)
		}
	}
}

func TestTwoModelsLiveApart(t *testing.T) {
	first, second := loadTiny(t), loadTiny(t)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	photo := make([]byte, first.Info().InputBytes)
	if _, err := first.Embed(context.Background(), [][]byte{photo}); !errors.Is(err, infer.ErrClosed) {
		t.Errorf("the closed one: %v", err)
	}
	if _, err := second.Embed(context.Background(), [][]byte{photo}); err != nil {
		t.Errorf("the other: %v", err)
	}
}

func TestOutputsThatAreNoDistribution(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, out := range map[string]infer.Output{
		"NaN":                 {Prob: []float32{nan, nan}, Cell: []int64{0, 1}},
		"infinity":            {Prob: []float32{inf, 0}, Cell: []int64{0, 1}},
		"negative":            {Prob: []float32{0.5, -0.1}, Cell: []int64{0, 1}},
		"too much":            {Prob: []float32{0.9, 0.8}, Cell: []int64{0, 1}},
		"not sorted":          {Prob: []float32{0.1, 0.8}, Cell: []int64{0, 1}},
		"an unknown cell":     {Prob: []float32{0.9, 0.1}, Cell: []int64{0, 4}},
		"a negative cell":     {Prob: []float32{0.9, 0.1}, Cell: []int64{-1, 0}},
		"a cell beyond int32": {Prob: []float32{0.9, 0.1}, Cell: []int64{math.MaxInt64, 0}},
	} {
		if _, err := topOf(out, 4); !errors.Is(err, ErrOutput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if top, err := topOf(infer.Output{Prob: []float32{0.6, 0.4000001}, Cell: []int64{3, 0}}, 4); err != nil || len(top) != 2 {
		t.Errorf("a distribution with rounding: %v, %v", top, err)
	}
	for _, v := range []float32{nan, inf, -inf} {
		if err := checkEmbedding([]float32{1, v}); !errors.Is(err, ErrOutput) {
			t.Errorf("embedding with %v: %v", v, err)
		}
	}
}
