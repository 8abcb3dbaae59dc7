package eval

import (
	"context"
	"fmt"
	"testing"
	"time"

	"planetag/enrich"
)

// loaded is the tiny bundle, ready to answer.
func loaded(t *testing.T) *witness {
	t.Helper()
	needLibrary(t)
	model, err := enrich.Load(context.Background(), enrich.Options{Bundle: tiny})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close() })
	division, err := cellsOf(tiny)
	if err != nil {
		t.Fatal(err)
	}
	return &witness{model, division}
}

// seenBy is one golden photo of the tiny bundle as its CNN sees it.
func seenBy(t *testing.T, w *witness, colour string) item {
	t.Helper()
	items, _, err := embedder{model: w.model, dir: tiny + "/golden", hashes: true, progress: func(int, int) {}}.embed(context.Background(), []Row{{ID: colour, File: colour + ".jpg"}})
	if err != nil {
		t.Fatal(err)
	}
	return items[0]
}

func TestAnAlbumOfFiveThousand(t *testing.T) {
	w := loaded(t)
	red, grey := seenBy(t, w, "red"), seenBy(t, w, "grey")
	items := make([]item, 5000)
	s := newSubject(w.model.Info(), w.modes())
	for i := range items {
		items[i] = grey
		if i == 0 {
			items[i] = red
		}
		items[i].row = Row{ID: fmt.Sprintf("p%04d", i), Album: "long", Lat: 41.9028, Lon: 12.4964, TakenAt: time.Unix(int64(i), 0)}
		s.rows = append(s.rows, items[i].row)
	}
	if err := w.answer(context.Background(), items, s); err != nil {
		t.Fatal(err)
	}
	for _, mode := range s.modes {
		for i, a := range s.answers[mode] {
			if a.RadiusP90 <= 0 || a.Confidence <= 0 || a.Confidence > 1 {
				t.Fatalf("%s, photo %d: %+v", mode, i, a)
			}
		}
		if n := len(s.answers[mode]); n != 5000 {
			t.Errorf("%s: %d answers", mode, n)
		}
	}
	// What the first photo said is remembered to the last.
	if a := s.answers["lstm"][4999]; a.Metres > 1000 {
		t.Errorf("after 4999 grey photos the red one is forgotten: %+v", a)
	}
}

func TestAnAlbumOfOneIsAPhotoAlone(t *testing.T) {
	w := loaded(t)
	green := seenBy(t, w, "green")
	green.row = Row{ID: "g", Album: "one", Lat: 48.8566, Lon: 2.3522}
	s := newSubject(w.model.Info(), w.modes())
	s.rows = []Row{green.row}
	if err := w.answer(context.Background(), []item{green}, s); err != nil {
		t.Fatal(err)
	}
	r := Result{}
	if mates := r.countAlbums(albums(s.rows)); len(mates) != 0 || r.Albums != 0 {
		t.Errorf("an album of one helps nobody: %d albums, mates %v", r.Albums, mates)
	}
	for _, mode := range s.modes {
		if a := s.answers[mode][0]; a.Metres > 1000 {
			t.Errorf("%s: %+v", mode, a)
		}
	}
}

func TestModesAreThoseOfTheBundle(t *testing.T) {
	s := newSubject(enrich.Info{Name: "x", Version: "1", DefaultMode: "none"}, []string{"average", "of tomorrow"})
	if got := fmt.Sprint(s.order()); got != "[prior single average of tomorrow]" || s.published != "single" {
		t.Errorf("order %s, published %s: a bundle that does without albums publishes single answers", got, s.published)
	}
}
