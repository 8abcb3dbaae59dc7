package pipeline

import (
	"math"
	"testing"
)

func TestMovedBy(t *testing.T) {
	l := exampleLocations()["album"]
	if moved := movedBy(l); math.Abs(moved-227_000) > 5_000 { // Florence's south to Rome
		t.Errorf("moved by %.0f m", moved)
	}
	given := exampleLocations()["given"]
	given.PhotoOnly = l.PhotoOnly
	if got, want := movedBy(given), movedBy(l); got != want {
		t.Errorf("a given photo's estimate moved by %.0f m, want %.0f: the given position has no part in it", got, want)
	}
	for _, name := range []string{"estimated", "abstained", "given_abstained"} {
		other := exampleLocations()[name]
		if name != "estimated" {
			other.PhotoOnly = l.PhotoOnly
		}
		if moved := movedBy(other); moved != 0 {
			t.Errorf("%s moved by %.0f m, but there is nothing to compare", name, moved)
		}
	}
}

func TestTombstone(t *testing.T) {
	rec := Tombstone("planetag.locations", "images/1.jpg", 42)
	if rec.Value != nil || string(rec.Key) != "images/1.jpg" || rec.Partition != -1 || rec.Topic != "planetag.locations" {
		t.Errorf("tombstone %+v", rec)
	}
	if len(rec.Headers) != 1 || rec.Headers[0].Key != "planetag.revision" || string(rec.Headers[0].Value) != "42" {
		t.Errorf("its headers are %v", rec.Headers)
	}
}
