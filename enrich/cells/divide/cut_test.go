package divide

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"planetag/enrich/cells"
)

// piece is a cell and what it holds.
type piece struct {
	ID     cells.ID
	Photos int64
	Weight int64
}

// cutAll pushes sorted spots through a cutter.
func cutAll(t interface{ Fatal(...any) }, k keys, rules Rules, spots []spot) []piece {
	var got []piece
	c := cutter{rules: rules, keys: k, emit: func(id cells.ID, spots []spot) error {
		p := piece{ID: id}
		for _, s := range spots {
			p.Photos, p.Weight = p.Photos+s.photos, p.Weight+k.weight(s)
		}
		got = append(got, p)
		return nil
	}}
	for _, s := range spots {
		if err := c.push(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.finish(); err != nil {
		t.Fatal(err)
	}
	return got
}

// descend is PlaNet's rule as the paper tells it: from the top, counting.
func descend(id cells.ID, k keys, rules Rules, spots []spot) []piece {
	p := piece{ID: id}
	places := map[cells.ID]bool{}
	for _, s := range spots {
		if leaf := k.leaf(s.key); id.Contains(leaf) {
			p.Photos, p.Weight = p.Photos+s.photos, p.Weight+k.weight(s)
			places[leaf] = true
		}
	}
	if p.Photos == 0 {
		return nil
	}
	tooMany := p.Weight > rules.MaxPhotos && len(places) > 1
	if id.Level() >= rules.MinLevel && !tooMany || id.Level() == rules.MaxLevel {
		return []piece{p}
	}
	var all []piece
	for _, child := range id.Children() {
		all = append(all, descend(child, k, rules, spots)...)
	}
	return all
}

func fromTheTop(k keys, rules Rules, spots []spot) []piece {
	var all []piece
	for face := range 6 {
		all = append(all, descend(s2.CellIDFromFace(face), k, rules, spots)...)
	}
	return all
}

// drawSpots draws photos in clusters, so that cells of all levels come up, and
// photos at one spot, on the antimeridian and at the poles.
func drawSpots(t *rapid.T, k keys) []spot {
	degrees := func(limit float64) *rapid.Generator[float64] {
		return rapid.OneOf(rapid.Float64Range(-limit, limit), rapid.SampledFrom([]float64{-limit, 0, limit}))
	}
	counts := map[uint64]int64{}
	for range rapid.IntRange(1, 6).Draw(t, "clusters") {
		lat, lon := degrees(90).Draw(t, "lat"), degrees(180).Draw(t, "lon")
		spread := rapid.SampledFrom([]float64{0, 1e-6, 1e-3, 0.1, 5}).Draw(t, "spread")
		for range rapid.IntRange(1, 25).Draw(t, "photos") {
			a := min(max(lat+spread*rapid.Float64Range(-1, 1).Draw(t, "north"), -90), 90)
			b := min(max(lon+spread*rapid.Float64Range(-1, 1).Draw(t, "east"), -180), 180)
			key, ok := k.of(a, b, rapid.SampledFrom([]string{"ann", "bob", "eve"}).Draw(t, "who"))
			if !ok {
				t.Fatalf("%v, %v is no place", a, b)
			}
			counts[key]++
		}
	}
	var spots []spot
	for key, n := range counts {
		spots = append(spots, spot{key, n})
	}
	slices.SortFunc(spots, func(a, b spot) int {
		if a.key < b.key {
			return -1
		}
		return 1
	})
	return spots
}

func TestCuttingAlongTheCurveIsDescendingFromTheFaces(t *testing.T) {
	for _, photographers := range []bool{false, true} {
		t.Run(fmt.Sprintf("photographers=%v", photographers), func(t *testing.T) {
			k := keys{photographers}
			rapid.Check(t, func(t *rapid.T) {
				rules := Rules{MaxPhotos: rapid.Int64Range(1, 12).Draw(t, "max")}
				rules.MinLevel = rapid.IntRange(0, 6).Draw(t, "coarsest")
				rules.MaxLevel = rapid.IntRange(rules.MinLevel, 22).Draw(t, "finest")
				spots := drawSpots(t, k)
				got, want := cutAll(t, k, rules, spots), fromTheTop(k, rules, spots)
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("got  %v\nwant %v", got, want)
				}
			})
		})
	}
}

func TestCutsAreDisjointAndHoldEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := keys{}
		rules := Rules{MaxPhotos: rapid.Int64Range(1, 9).Draw(t, "max"), MaxLevel: rapid.IntRange(0, 30).Draw(t, "finest")}
		spots := drawSpots(t, k)
		want, got, after := int64(0), int64(0), cells.ID(0)
		for _, s := range spots {
			want += s.photos
		}
		for _, p := range cutAll(t, k, rules, spots) {
			if p.ID.RangeMin() <= after {
				t.Fatalf("%v starts before the cell before it ends", p.ID)
			}
			after = p.ID.RangeMax()
			got += p.Photos
		}
		if got != want {
			t.Fatalf("cells hold %d of %d photos", got, want)
		}
	})
}

func TestOneSpotIsNotDivided(t *testing.T) {
	k := keys{}
	at := func(lat, lon float64, photos int64) spot {
		key, _ := k.of(lat, lon, "")
		return spot{key, photos}
	}
	alone := cutAll(t, k, Rules{MaxPhotos: 10, MaxLevel: 30}, []spot{at(48.8584, 2.2945, 5000)})
	if len(alone) != 1 || alone[0].ID.Level() != 0 || alone[0].Photos != 5000 {
		t.Errorf("5,000 photos of one spot and nothing else: %v", alone)
	}
	spots := []spot{at(48.8584, 2.2945, 5000), at(48.8606, 2.3376, 1)}
	slices.SortFunc(spots, func(a, b spot) int { return int(a.key>>32) - int(b.key>>32) })
	two := cutAll(t, k, Rules{MaxPhotos: 10, MaxLevel: 30}, spots)
	if len(two) != 2 || two[0].ID.Level() > 16 || two[1].ID.Level() > 16 {
		t.Errorf("the Louvre is three kilometres from the Eiffel tower, that takes no level finer than a block: %v", two)
	}
}

func TestAPhotographerCountsOnceASpot(t *testing.T) {
	k := keys{photographers: true}
	counts := map[uint64]int64{}
	take := func(lat, lon float64, who string) {
		key, _ := k.of(lat, lon, who)
		counts[key]++
	}
	for range 5000 {
		take(52.1, 4.3, "lives here")
	}
	take(52.1, 4.3, "visits")
	take(52.2, 4.3, "lives here")
	if len(counts) != 3 {
		t.Fatalf("%d spots and photographers, want 3", len(counts))
	}
	leaves := map[cells.ID]bool{}
	for key := range counts {
		leaves[k.leaf(key)] = true
		if k.leaf(key).Level() != spotLevel {
			t.Errorf("the place of a key is of level %d", k.leaf(key).Level())
		}
	}
	if len(leaves) != 2 {
		t.Errorf("%d places, want 2", len(leaves))
	}
}
