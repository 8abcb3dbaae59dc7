package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"planetag/consumer/devbroker"
	"planetag/deploy/secrets"
	"planetag/enrich/bundle"
	"planetag/enrich/infer"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// tiny answers by colour, in milliseconds: the demo's own workings do not need a good model.
const tiny = "../../enrich/testdata/tiny"

func needLibrary(t *testing.T) {
	t.Helper()
	if _, err := infer.FindLibrary(""); err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs the ONNX Runtime library: run `make setup`, then `make test`, or set PLANETAG_ORT_LIB:", err)
	}
}

// noLeaks checks that a show leaves no goroutine behind. Idle connections of HTTP clients end by themselves, later.
func noLeaks(t *testing.T) {
	t.Helper()
	ignore := []goleak.Option{
		goleak.IgnoreCurrent(),
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
	}
	t.Cleanup(func() { goleak.VerifyNone(t, ignore...) })
}

func options(t *testing.T, bundle string) Options {
	cfg := pipeline.DefaultConfig()
	cfg.Bundle.Path = bundle
	return Options{Config: cfg, Log: secrets.Log(t), Patience: 30 * time.Second}
}

// The promise of the README: the shipped photos, every status at least once, every photo accounted for.
func TestDemoShowsEveryStatus(t *testing.T) {
	needLibrary(t)
	for _, dir := range []string{tiny, "../../bundles/demo"} {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(dir, bundle.ManifestName)); err != nil && os.Getenv("PLANETAG_REQUIRE_ALL") != "1" {
				t.Skip("there is no such bundle in this checkout; train/ makes it:", err)
			}
			noLeaks(t)
			var out bytes.Buffer
			sum, err := Run(context.Background(), options(t, dir), &out)
			if err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			checkSummary(t, sum)
			checkScreen(t, out.String(), sum)
		})
	}
}

func checkSummary(t *testing.T, sum Summary) {
	t.Helper()
	if sum.Estimated < 1 || sum.Abstained < 1 || sum.Given < 1 || sum.DeadLetters < 1 || sum.Albums < 4 {
		t.Errorf("each status occurs at least once, in at least four albums: %+v", sum)
	}
	if sum.Estimated+sum.Abstained+sum.Given+sum.OptedOut+sum.DeadLetters != sum.Photos {
		t.Errorf("a photo is missing: %+v", sum)
	}
	if sum.Seconds <= 0 || sum.PhotosPerSecond <= 0 || sum.MedianErrorKm == nil {
		t.Errorf("figures: %+v", sum)
	}
	for _, stage := range []string{"fetch", "decode", "infer", "place", "commit"} {
		if s := sum.Stages[stage]; s.Count < 1 || s.P50 <= 0 || s.P99 < s.P50 {
			t.Errorf("stage %s: %+v", stage, s)
		}
	}
	text, err := json.Marshal(sum)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"photos", "estimated", "abstained", "given", "dead_letters", "albums", "seconds", "photos_per_second",
		"median_error_km", "within_25km", "within_200km", "stages",
	} {
		if _, ok := object[key].(float64); !ok && key != "stages" {
			t.Errorf("%s is %v, want a number", key, object[key])
		}
	}
}

func checkScreen(t *testing.T, text string, sum Summary) {
	t.Helper()
	lines := 0
	for line := range strings.Lines(text) {
		for _, mark := range []string{"○ ", "= ", "✗ "} {
			if strings.HasPrefix(line, mark) {
				lines++
			}
		}
		if strings.HasPrefix(line, "✓ ") && strings.Contains(line, "±") {
			lines++
		}
	}
	if lines != sum.Photos {
		t.Errorf("%d lines for %d photos:\n%s", lines, sum.Photos, text)
	}
	for _, want := range []string{"✓ broker", "✓ S3", "✓ ONNX Runtime  1.", "✓ bundle", "sha256", "golden", "is small", "CARD.md", "planetag eval", "Try next:"} {
		if !strings.Contains(text, want) {
			t.Errorf("the screen lacks %q:\n%s", want, text)
		}
	}
}

// folderOf makes a folder of photos, each in a colour that the tiny bundle knows.
func folderOf(t *testing.T, photos map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, colour := range photos {
		data, err := os.ReadFile(filepath.Join(tiny, "golden", colour+".jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolderWithoutTruthHasNoErrorFigures(t *testing.T) {
	needLibrary(t)
	noLeaks(t)
	o := options(t, tiny)
	o.Folder = folderOf(t, map[string]string{"rome/1.jpg": "red", "rome/2.jpg": "grey", "alone.jpg": "grey"})
	var out bytes.Buffer
	sum, err := Run(context.Background(), o, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if sum.Photos != 3 || sum.Estimated != 2 || sum.Abstained != 1 || sum.MedianErrorKm != nil || sum.Within25km != nil {
		t.Errorf("got %+v", sum)
	}
	// Grey alone is nowhere; grey beside red is where red is.
	if !strings.Contains(out.String(), "✓ rome/2.jpg  Lazio, Italy") || !strings.Contains(out.String(), "○ alone.jpg") {
		t.Errorf("screen:\n%s", out.String())
	}
}

// parts starts a broker and a store for attached shows and returns a configuration of them.
func parts(t *testing.T) pipeline.Config {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	store, err := devstore.Start(devstore.Options{Buckets: []string{bucketName}}) // the worker may ask for it before a show would make it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	cfg, err := local(t.Context(), options(t, tiny).Config, broker.Addr(), store.URL())
	if err != nil {
		t.Fatal(err)
	}
	cfg.S3.SecretKey = pipeline.Secret(secrets.Of("s3")) // this store takes any
	return cfg
}

func TestAttachedShowsDoNotMixWithEarlierOnes(t *testing.T) {
	needLibrary(t)
	noLeaks(t)
	cfg := parts(t)
	ctx, cancel := context.WithCancel(context.Background())
	worker := make(chan error, 1)
	go func() { worker <- pipeline.Run(ctx, cfg, secrets.Log(t)) }()
	o := options(t, tiny)
	o.Config, o.Attach = cfg, true
	o.Folder = folderOf(t, map[string]string{"rome/1.jpg": "red", "rome/2.jpg": "grey"})
	for range 2 {
		sum, err := Run(context.Background(), o, io.Discard)
		if err != nil || sum.Estimated != 2 || sum.Stages != nil {
			t.Errorf("%+v, %v", sum, err)
		}
	}
	cancel()
	if err := <-worker; err != nil {
		t.Error("worker:", err)
	}
}
