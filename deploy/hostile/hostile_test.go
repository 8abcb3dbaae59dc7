package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"planetag/deploy/hostile/forge"
	"planetag/deploy/realkafka"
	"planetag/enrich/infer"
)

// built is the program as it is now.
func built(t *testing.T) options {
	t.Helper()
	library, err := infer.FindLibrary("")
	if err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs the ONNX Runtime library: run `make setup`, then `make test`, or set PLANETAG_ORT_LIB:", err)
	}
	return options{
		root: "../..", binary: realkafka.Planetag(t), library: library, seed: 4, limit: 5 * time.Second, memory: 4096, patience: time.Minute,
		log: filepath.Join(t.TempDir(), "worker.log"),
	}
}

// lethal are made files that brought down or held up a worker that decoded inside of itself, with libvips 8.14, libheif 1.15 and libjpeg-turbo 2.1.
func lethal() map[string]string {
	return map[string]string{
		"grid-of-grid-of-grid":                        "segmentation fault: the stack ends before the grids do, in HEIC and in AVIF",
		"identity-of-identity":                        "segmentation fault, the same way",
		"grids-double-20-times":                       "no answer for longer than anyone waited, and the one place for HEIC taken until then",
		"1000-scans-of-10000-by-9990":                 "11 seconds",
		"20000-scans-of-10000-by-9990":                "no answer for longer than anyone waited",
		"5000-scans-of-6250-by-16000":                 "no answer within a minute",
		"10000-by-9999-depth-16-colour-6-interlace-1": "7.6 seconds",
		"39000-by-2500-depth-16-colour-6-interlace-1": "7.4 seconds",
		"texts-of-50-MiB-times-40":                    "6.7 seconds",
		"grid-of-4096":                                "7.4 seconds",
	}
}

func isLethal(name string) bool {
	_, detail, _ := strings.Cut(filepath.Base(name), "-") // behind the number
	_, known := lethal()[detail]
	return known
}

// supervised says whether the worker decodes in processes of its own, which the files that kill need.
func (o options) supervised(t *testing.T) bool {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), o.binary, "config", "print").Output()
	if err != nil {
		t.Fatal("print the configuration:", err)
	}
	return strings.Contains(string(text), "\ndecode:")
}

// TestEveryHostileFileHasOneVerdict is `make hostile` with few files.
func TestEveryHostileFileHasOneVerdict(t *testing.T) {
	o := built(t)
	o.count = 300
	o.pick = func(name string) bool { return !isLethal(name) }
	out := clean(t, o)
	located, dead := len(out.verdicts), 0
	if _, dead = out.byKind(); dead < 100 || located-dead < 50 {
		t.Errorf("%d verdicts, %d of them dead letters: are these hostile files?", located, dead)
	}
}

// TestLethalFilesCostOneVerdictEach sends what kills.
func TestLethalFilesCostOneVerdictEach(t *testing.T) {
	o := built(t)
	if !o.supervised(t) {
		t.Skip("this worker decodes inside of itself; these files bring it down")
	}
	made, err := forge.New(o.root, o.seed)
	if err != nil {
		t.Fatal(err)
	}
	o.count, o.pick = 2*made.Crafted(), isLethal                                                             // what is written by hand is then listed whole
	if out := clean(t, o); out.count(func(s *sent) bool { return !s.good && !s.alone }) != len(lethal())+4 { // four of them in HEIC and in AVIF
		t.Errorf("%d files for %d names", len(out.files), len(lethal()))
	}
}

// clean runs and wants nothing to be wrong.
func clean(t *testing.T, o options) *outcome {
	t.Helper()
	o.limit = 30 * time.Second // under the race detector, beside other tests; `make hostile` holds to 5 s
	out, err := run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out.markdown())
	for _, text := range out.problems {
		t.Error(text)
	}
	return out
}

// TestADyingWorkerIsReported kills the worker in the middle: nothing is lost by it, and yet it must not go unnoticed.
func TestADyingWorkerIsReported(t *testing.T) {
	o := built(t)
	o.count, o.limit = 40, 30*time.Second
	o.pick = func(name string) bool { return !isLethal(name) }
	o.corpus = t.TempDir()
	if err := os.WriteFile(filepath.Join(o.corpus, "a b%20?.jpg"), []byte("not a photo"), 0o600); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	o.between = func(verdicts int, worker *os.Process) {
		if verdicts > 10 {
			once.Do(func() { _ = worker.Kill() })
		}
	}
	out, err := run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.crashes) != 1 || len(out.problems) != 1 || !strings.Contains(out.problems[0], "signal: killed") {
		t.Errorf("%d crashes; problems: %q", len(out.crashes), out.problems)
	}
	if table := out.markdown(); !strings.Contains(table, "| worker crashes | 1 |") || !strings.Contains(table, "corpus a b%20?.jpg") {
		t.Error(table)
	}
}
