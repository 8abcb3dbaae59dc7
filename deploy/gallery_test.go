package deploy_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"planetag/deploy/realkafka"
)

// TestAGalleryIsAnsweredOnceOnRealParts has the worker use a bundle whose network compares photos with places, and kills it once.
// GALLERY_BUNDLE names another bundle than the small one, of which it then only wants an answer for every photo.
func TestAGalleryIsAnsweredOnceOnRealParts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	kafka, store := realkafka.Start(t), realkafka.StartVersity(t)
	sent, cities := colours()
	fill(ctx, t, store, sent)
	w := newWorker(t, kafka, store)
	dir, other := os.Getenv("GALLERY_BUNDLE"), true
	if dir == "" {
		dir, other = filepath.Join(realkafka.Root(t), "enrich", "testdata", "gallery"), false
	}
	w.use(dir)
	w.start(ctx)
	reading, stopReading := context.WithCancel(ctx)
	outcome, wait := follow(reading, t, kafka.Addr())
	defer wait()
	defer stopReading()
	send(ctx, t, kafka.Addr(), sent)
	outcome.waitFor(ctx, t, "the first photos", func(photos, _ int) bool { return photos >= 2 })
	w.kill9()
	w.start(ctx)
	outcome.waitFor(ctx, t, "an answer for every photo and every photo of an album", func(photos, albums int) bool { return photos >= len(sent) && albums >= len(sent) })
	outcome.waitFor(ctx, t, "silence", func(int, int) bool { return outcome.quietFor(5 * time.Second) })
	stopReading()
	wait()
	for id, city := range cities {
		answers := outcome.answers[id]
		if last := answers[len(answers)-1]; !other && (last.Location == nil || math.Abs(last.Location.Lat-city) > 0.1) {
			t.Errorf("%s is at %+v, want latitude %v", id, last.Location, city)
		}
	}
	outcome.check(t, sent)
	w.stop()
}

// colours are photos in albums of one colour each, and the latitudes of the cities that the small bundle takes the colours for.
func colours() ([]sample, map[string]float64) {
	var list []sample
	cities := map[string]float64{}
	for colour, lat := range map[string]float64{"red": 41.9, "green": 48.86, "white": -33.87} {
		for n := range 6 {
			s := sample{object: "../../../enrich/testdata/gallery/golden/" + colour + ".jpg", album: colour}
			s = s.referring(fmt.Sprintf("%s/%d.jpg", colour, n), fmt.Sprintf("2019-05-02T10:00:%02dZ", n), false)
			list, cities[s.id] = append(list, s), lat
		}
	}
	return list, cities
}

// use has the worker take another bundle than the one it finds by itself.
func (w *worker) use(bundle string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	settings := strings.TrimRight(string(text), "\n") + fmt.Sprintf("\nbundle:\n  path: %s\n", bundle)
	if err := os.WriteFile(w.config, []byte(settings), 0o600); err != nil {
		w.t.Fatal(err)
	}
}
