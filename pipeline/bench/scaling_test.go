package bench

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// A photo that is missing ends a measurement, and exactly once one too many does, too.
func TestEveryReferenceHasOneLocation(t *testing.T) {
	for _, c := range []struct {
		delivery          string
		photos, locations int
		fine              bool
	}{
		{"exactly_once", 100, 100, true},
		{"exactly_once", 99, 99, false},
		{"exactly_once", 99, 100, false},
		{"exactly_once", 100, 101, false},
		{"at_least_once", 100, 101, true},
		{"at_least_once", 99, 101, false},
	} {
		if err := counted(c.delivery, 100, c.photos, c.locations); (err == nil) != c.fine {
			t.Errorf("%s, %d locations of %d photos of 100: %v", c.delivery, c.locations, c.photos, err)
		}
	}
}

// What is started by a confined thread is confined, and the thread is free again.
func TestConfinedToOneCore(t *testing.T) {
	cores := func() int {
		out, err := exec.CommandContext(t.Context(), "nproc").Output()
		if err != nil {
			t.Skip("needs nproc of coreutils")
		}
		n, _ := strconv.Atoi(strings.TrimSpace(string(out)))
		return n
	}
	before, inside := cores(), 0
	if err := confined(1, func() error { inside = cores(); return nil }); err != nil {
		t.Fatal(err)
	}
	if inside != 1 || cores() != before {
		t.Errorf("%d cores inside, %d behind it, want 1 and %d", inside, cores(), before)
	}
}
