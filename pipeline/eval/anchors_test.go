package eval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"planetag/enrich"
)

// drive is an album near Rome in which every photo is grey: only the positions of the others can place it. The last two were
// taken a day later in another town.
const drive = `id,file,lat,lon,taken_at,album
a,a.jpg,41.9028,12.4964,2019-05-01T09:00:00Z,drive
b,b.jpg,41.9030,12.4970,2019-05-01T09:10:00Z,drive
c,c.jpg,41.9035,12.4975,2019-05-01T09:20:00Z,drive
d,d.jpg,41.9040,12.4980,2019-05-01T09:30:00Z,drive
e,e.jpg,43.7696,11.2558,2019-05-02T20:00:00Z,drive
f,f.jpg,43.7700,11.2560,2019-05-02T20:10:00Z,drive
alone,g.jpg,48.8566,2.3522,,
`

func driveOptions(t *testing.T) Options {
	t.Helper()
	needLibrary(t)
	photos := map[string]string{"g.jpg": "green"}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		photos[name+".jpg"] = "grey"
	}
	csv, dir := write(t, drive, photos)
	return Options{Model: enrich.Options{Bundle: tiny}, Manifest: csv, Photos: dir, Anchors: 0.5, Seed: 1}
}

func TestAnchorsAreScoredOnTheOthers(t *testing.T) {
	o := driveOptions(t)
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	a := got.Anchored
	if a == nil || a.Albums != 1 || a.Shown != 3 || a.Share != 0.5 || a.Seed != 1 {
		t.Fatalf("%+v", a)
	}
	for _, mode := range []string{"nearest_in_time", "nearest, capped", "single", "average+anchors", "lstm+anchors", "lstm_repeat+anchors", "blstm+anchors", "hmm+anchors"} {
		if n := a.All[mode].N; n != 3 || a.Near[mode].N+a.Far[mode].N != n {
			t.Errorf("%s: %d photos, near %d, far %d", mode, n, a.Near[mode].N, a.Far[mode].N)
		}
	}
	for mode, s := range a.Near {
		if strings.HasSuffix(mode, withAnchors) && s.Within25km < a.Near[modeInTime].Within25km {
			t.Errorf("%s: %.2f within 25 km, nearest in time %.2f", mode, s.Within25km, a.Near[modeInTime].Within25km)
		}
	}
	again, err := Run(context.Background(), o)
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("a second run differs: %v", err)
	}
}

// TestSeedsDrawOtherAnchors, and never all of an album, and never none.
func TestSeedsDrawOtherAnchors(t *testing.T) {
	o := driveOptions(t)
	seen := map[string]bool{}
	for _, share := range []float64{0.01, 0.5, 0.99} {
		for seed := range uint64(4) {
			o.Anchors, o.Seed = share, seed
			got, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			n := got.Anchored.Shown
			if n != map[float64]int{0.01: 1, 0.5: 3, 0.99: 5}[share] {
				t.Errorf("share %v shows %d of 6", share, n)
			}
			seen[fmt.Sprint(got.Anchored.All[modeInTime])] = true
			// One shown position cannot place the photos of both towns: whoever does has seen more.
			for mode, s := range got.Anchored.All {
				if share == 0.01 && s.Within25km == 1 {
					t.Errorf("seed %d: one position is enough for %s: %+v", seed, mode, s)
				}
			}
		}
	}
	if len(seen) < 4 {
		t.Errorf("12 draws gave %d different scores", len(seen))
	}
}

func TestWithoutAlbumsThereIsNothingToAnchor(t *testing.T) {
	o := driveOptions(t)
	csv, dir := write(t, "id,file,lat,lon\ng,g.jpg,48.8566,2.3522\n", map[string]string{"g.jpg": "green"})
	o.Manifest, o.Photos = csv, dir
	got, err := Run(context.Background(), o)
	if err != nil || got.Anchored.Albums != 0 || got.Anchored.All[modeInTime].N != 0 || got.InAlbums["lstm"+shuffledRow].N != 0 {
		t.Errorf("%v, %+v", err, got.Anchored)
	}
}

func TestMixedUp(t *testing.T) {
	groups := [][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {8}}
	mixed := mixedUp(groups, 1)
	if slices.Equal(mixed[0], groups[0]) || !slices.Equal(slices.Sorted(slices.Values(mixed[0])), groups[0]) || mixed[1][0] != 8 {
		t.Errorf("got %v", mixed)
	}
	if other := mixedUp(groups, 2); slices.Equal(other[0], mixed[0]) {
		t.Errorf("another seed gave the same order: %v", other)
	}
	if again := mixedUp(groups, 1); !reflect.DeepEqual(again, mixed) || groups[0][0] != 0 {
		t.Errorf("the same seed gave %v, then %v", mixed, again)
	}
}

// TestAnchorsFrom: the positions that may be seen are those of another manifest, and only albums that have both are asked about.
func TestAnchorsFrom(t *testing.T) {
	o := driveOptions(t)
	head := "id,file,lat,lon,taken_at,album\n"
	lines := strings.Split(strings.TrimSpace(drive), "\n")[1:]
	dir := t.TempDir()
	save := func(name string, rows ...int) string {
		text := head
		for _, i := range rows {
			text += lines[i] + "\n"
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	o.Anchors, o.Manifest, o.AnchorsFrom = 0, save("asked.csv", 1, 4, 6), save("known.csv", 0, 2, 5)
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	a := got.Anchored
	if got.N != 3 || a.Albums != 1 || a.Shown != 3 || a.From != o.AnchorsFrom || a.All[modeInTime].N != 2 {
		t.Fatalf("%d photos, %+v", got.N, a)
	}
	for _, row := range []string{modeInTime, "average" + withAnchors} {
		if a.All[row].Within25km != 1 {
			t.Errorf("%s: %.2f within 25 km of photos that have one of their town", row, a.All[row].Within25km)
		}
	}
	o.AnchorsFrom = save("both.csv", 0, 1)
	if _, err := Run(context.Background(), o); !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), "shows the position of b, line 3") {
		t.Errorf("%v", err)
	}
}
