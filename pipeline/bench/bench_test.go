package bench

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pprof "github.com/google/pprof/profile"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/infer"
)

const tiny = "../../enrich/testdata/tiny"

// library skips where there is no ONNX Runtime.
func library(t *testing.T) string {
	t.Helper()
	path, err := infer.FindLibrary("")
	if err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs the ONNX Runtime library: run `make setup`")
	}
	return path
}

// The null network must be what the worker takes for a bundle like the real one, golden photo included, and a peer takes the
// same graph with another name of its input.
func TestTheNullBundleIsABundle(t *testing.T) {
	dir, err := nullBundle(tiny, filepath.Join(t.TempDir(), "null"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := enrich.Load(t.Context(), enrich.Options{Library: library(t), Bundle: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	pixels := make([]byte, m.Info().InputBytes)
	sights, err := m.Embed(t.Context(), [][]byte{pixels, pixels, pixels})
	if err != nil || len(sights) != 3 {
		t.Fatalf("%d answers for 3 photos: %v", len(sights), err)
	}
	if got := sights[2]; len(got.Embedding) != 8 || got.Embedding[7] != 1 || len(got.Top) != 3 || got.Top[2].Cell != 2 {
		t.Errorf("the null network says %+v", got)
	}
}

func TestRenamedChangesTheInputAndNothingElse(t *testing.T) {
	read, err := bundle.Read(tiny)
	if err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(read.Path(read.Manifest.CNN.File))
	if err != nil {
		t.Fatal(err)
	}
	changed, err := renamed(model, "pixels", "photograph")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "peer.onnx")
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := infer.Open(library(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := r.OpenCNN(infer.CNNSpec{
		Path: path, Input: "photograph", Size: 32, Embedding: "embedding", Width: 8, Prob: "prob", Cell: "cell", TopK: 3, Buckets: []int{1, 4}, Classes: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	back, err := renamed(changed, "photograph", "pixels")
	if err != nil || !slices.Equal(back, model) {
		t.Errorf("renamed twice it is another model: %v", err)
	}
	if _, err := renamed([]byte("no model"), "a", "b"); err == nil {
		t.Error("a text was renamed")
	}
}

// A run of 1000 photos at 100 a second, with a start and an end that are slow, and 2 KB more in memory for each photo.
func TestRateLeavesTheEndsOut(t *testing.T) {
	var p pace
	at := time.Unix(0, 0)
	for photos := 0; photos <= 1000; photos += 10 {
		p = append(p, moment{at: at, photos: photos, usage: usage{worker: time.Duration(photos) * 3 * time.Millisecond, rss: 1<<20 + int64(2000*photos)}})
		step := 100 * time.Millisecond
		if photos < 390 || photos >= 860 {
			step *= 5
		}
		at = at.Add(step)
	}
	if rate := p.rate(firstMark, lastMark); math.Abs(rate-100) > 0.1 {
		t.Errorf("%.1f photos/s, want 100", rate)
	}
	if slope := p.growth(); math.Abs(slope-2000) > 1 {
		t.Errorf("%.0f bytes a photo, want 2000", slope)
	}
	if cpu := p.cost(firstMark, lastMark, ours); math.Abs(cpu-3) > 0.001 {
		t.Errorf("%.3f ms of processor time a photo, want 3", cpu)
	}
	if p.peak() != 1<<20+2_000_000 {
		t.Errorf("peak %d", p.peak())
	}
}

// A worker that does 100 photos a second, at 3 ms each, and has 500 of 2000 in hand before it commits the first. It commits what
// it has in hand faster than it works, until that are 60.
func TestPhotosInHandAreNoSpeed(t *testing.T) {
	var p pace
	for done := 0; done <= 2000; done += 10 {
		inHand := max(60, 500-2*max(done-500, 0))
		committed := max(done-inHand, 0)
		p = append(p, moment{at: time.Unix(0, int64(done)*1e7), photos: committed, usage: usage{worker: time.Duration(done) * 3 * time.Millisecond}})
	}
	if rate := p.rate(firstMark, lastMark); math.Abs(rate-100) > 1 {
		t.Errorf("%.1f photos/s, want 100", rate)
	}
	if cpu := p.cost(firstMark, lastMark, ours); math.Abs(cpu-3) > 0.03 {
		t.Errorf("%.2f ms of processor time a photo, want 3", cpu)
	}
}

// At 1000 photos a second a profile of 10,000 photos may last 4 seconds; half a minute of it would be of a worker at rest.
func TestProfileEndsWithThePhotos(t *testing.T) {
	for _, row := range []struct {
		rate int
		want time.Duration
	}{{10, 30 * time.Second}, {1000, 4 * time.Second}, {100_000, time.Second}} {
		var p pace
		for photos := 0; photos <= 4000; photos += 50 {
			slow := time.Duration(1)
			if photos < 1000 {
				slow = 9
			}
			at := time.Unix(0, 0)
			if len(p) > 0 {
				at = p[len(p)-1].at.Add(slow * 50 * time.Second / time.Duration(row.rate))
			}
			p = append(p, moment{at: at, photos: photos})
		}
		if long := profileFor(p.left(10_000)); long != row.want {
			t.Errorf("%d photos a second: a profile of %v, want %v", row.rate, long, row.want)
		}
	}
}

// A worker that does 100 photos a second, at 3 ms each, and commits late: now all that it has done, now 60 fewer. Where the
// ends of the measured part happen to lie says nothing.
func TestLateCommitsDoNotMatter(t *testing.T) {
	for seed := range 20 {
		var p pace
		committed := 0
		for done := range 2001 {
			committed = max(committed, done-int(hash(seed, done, 0)%60))
			if done%5 == 0 || done == 2000 {
				p = append(p, moment{at: time.Unix(0, int64(done)*1e7), photos: committed, usage: usage{worker: time.Duration(done) * 3 * time.Millisecond}})
			}
			if hash(seed, done, 1)%16 > 0 { // nothing is committed for a while
				committed = p[len(p)-1].photos
			}
		}
		if rate := p.rate(firstMark, lastMark); math.Abs(rate-100) > 2 {
			t.Errorf("seed %d: %.1f photos/s, want 100", seed, rate)
		}
		if cpu := p.cost(firstMark, lastMark, ours); math.Abs(cpu-3) > 0.06 {
			t.Errorf("seed %d: %.2f ms of processor time a photo, want 3", seed, cpu)
		}
	}
}

func TestStacksBelongToParts(t *testing.T) {
	for stack, want := range map[string]string{
		"runtime.scanobject < runtime.gcDrain < runtime.gcBgMarkWorker":                             partGC,
		"runtime.memmove < runtime.gcAssistAlloc < planetag/pipeline.(*Store).read":                 partGC,
		"runtime.cgocall < planetag/enrich/infer.(*session).run < planetag/pipeline.(*Batcher).run": partNetwork,
		"runtime._ExternalCode": partNetwork,
		"syscall.Write < planetag/enrich/decode.(*child).ask < planetag/pipeline.(*photoStage).decode":          partDecode,
		"syscall.Read < net.(*conn).Read < net/http.(*persistConn).readLoop":                                    partFetch,
		"crypto/hmac.New < github.com/minio/minio-go/v7/pkg/signer.SignV4 < planetag/pipeline.(*Store).attempt": partFetch,
		"syscall.Write < github.com/segmentio/kafka-go.(*Conn).Write":                                           partKafka,
		"encoding/json.Marshal < planetag/consumer.encode < planetag/pipeline.(*photoStage).commit":             partKafka,
		"encoding/json.Marshal < planetag/pipeline.Location.Record < planetag/pipeline.(*photoStage).walk":      partPlace,
		"compress/flate.(*compressor).write < runtime/pprof.(*profileBuilder).flush < net/http.(*conn).serve":   partRest,
		"runtime.futex < runtime.findRunnable < runtime.mcall":                                                  partRest,
	} {
		var s pprof.Sample
		for _, name := range strings.Split(stack, " < ") {
			s.Location = append(s.Location, &pprof.Location{Line: []pprof.Line{{Function: &pprof.Function{Name: name}}}})
		}
		if got := partOf(&s); got != want {
			t.Errorf("%s belongs to %q, want %q", stack, got, want)
		}
	}
}

func TestRatiosAreOfRounds(t *testing.T) {
	ours := Contestant{Name: oursFP32, PhotosPerSecond: []float64{100, 60, 150}, CPU: []float64{8, 10, 9}}
	theirs := Contestant{Name: peerFP32, PhotosPerSecond: []float64{50, 40, 100}, CPU: []float64{18, 18, 20}}
	r := ratioOf(ours, theirs)
	if r.Median != 1.5 || r.Least != 1.5 || r.Most != 2 || r.CPU != 0.5 {
		t.Errorf("%+v, want each round's own ratio: 2, 1.5, 1.5", r)
	}
	result := Result{Ratios: map[string]Ratio{"fp32": r, "null": {Median: 2.4, CPU: 0.6}}, Comparison: []Contestant{ours, theirs}}
	result.Goals = goals(result)
	var met []bool
	for _, g := range result.Goals {
		met = append(met, g.Met)
	}
	if !slices.Equal(met, []bool{true, false, false}) {
		t.Errorf("goals %+v: want the first met and the two of the null network not", result.Goals)
	}
	var text strings.Builder
	if err := result.Write(&text); err != nil || !strings.Contains(text.String(), "| planetag fp32 ÷ peer fp32 | 1.50 | 1.50 to 2.00 | 0.50 |") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// Enlarged photos keep their shape and are about as heavy as a camera's.
func TestEnlargedPhotosAreLikeACameras(t *testing.T) {
	photos, stats, err := readPhotos("../demo/photos/rome-2024", 0.6)
	if err != nil {
		t.Fatal(err)
	}
	perPixel := float64(stats.Bytes) / float64(len(photos)) / (stats.Megapixels * 1e6)
	if math.Abs(stats.Megapixels-0.6) > 0.01 || perPixel < 0.15 || perPixel > 0.5 {
		t.Errorf("%.2f megapixels at %.2f bytes a pixel, want 0.6 at 0.15 to 0.5", stats.Megapixels, perPixel)
	}
	if _, _, err := readPhotos(t.TempDir(), 0); err == nil {
		t.Error("an empty folder was measured")
	}
}
