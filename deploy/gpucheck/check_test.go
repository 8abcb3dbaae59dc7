package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"planetag/enrich/infer"
)

// TestTheCheckOnTheCPU is the rehearsal with the small model that tells colours apart: every figure is there and every promise holds.
func TestTheCheckOnTheCPU(t *testing.T) {
	if _, err := infer.FindLibrary(""); err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	c := check{device: infer.Device{Provider: infer.ProviderAuto}, photos: "../../pipeline/demo/photos", span: 50 * time.Millisecond}
	if err := c.bundle(t.Context(), "../../enrich/testdata/tiny"); err != nil {
		t.Fatal(err)
	}
	c.pytorch(t.Context(), "no-such-python")
	if len(c.broken) > 0 {
		t.Errorf("%v", c.broken)
	}
	text := c.markdown()
	for _, want := range []string{"runs on", "1 × batch of 1 ", "2 × batch of", "two calls at a time", "from memory", "43 of 43", "cancelled", "| yes |", "kept by a reload", "not measured"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestABrokenPromiseIsSaid: what fails is in the table and ends the program.
func TestABrokenPromiseIsSaid(t *testing.T) {
	var c check
	c.promise(true, "demo", "kept", "%d", 1)
	c.promise(false, "demo", "signals arrive", "no")
	if len(c.rows) != 2 || len(c.broken) != 1 || !strings.Contains(c.broken[0], "demo, signals arrive: no") {
		t.Errorf("%v, %v", c.rows, c.broken)
	}
}

func TestCosine(t *testing.T) {
	if got := cosine([]float32{1, 2}, []float32{2, 4}); got < 0.999999 {
		t.Errorf("of one direction %f", got)
	}
	if got := cosine([]float32{1, 0}, []float32{0, 1}); got != 0 {
		t.Errorf("of a right angle %f", got)
	}
}
