package enrich

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"planetag/enrich/bundle"
)

// TestChainFollowsATrip: photos that show nothing are where the ones around them are, in spite of a change of place; and
// one that shows another place in the middle of all is not believed.
func TestChainFollowsATrip(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, red, grey, red, blue, red, grey, green, grey, green)
	members := membersOf(sights)
	for i := range members {
		members[i].TakenAt = noon.Add(time.Duration(i) * 20 * time.Minute)
		if i >= 6 {
			members[i].TakenAt = members[i].TakenAt.AddDate(0, 0, 2)
		}
	}
	readings, err := m.Album(context.Background(), "hmm", members)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, r := range readings {
		got = append(got, r.Top[0].Cell)
	}
	if want := []int{0, 0, 0, 0, 0, 0, 1, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	alone := m.Answer("single", sights[3].Top).Confidence
	if among := readings[3].Top[0].P; among > alone {
		t.Errorf("a photo that looks like New York among five of Rome has %.2f, more than alone, %.2f", among, alone)
	}
}

// TestChainDoesNotReadTheOrder, only the times.
func TestChainDoesNotReadTheOrder(t *testing.T) {
	m := loadTiny(t)
	members := membersOf(see(t, m, red, grey, green, blue, grey))
	for i := range members {
		members[i].TakenAt = noon.Add(time.Duration(i*i) * time.Hour)
	}
	members[1].Anchor = &rome
	want, err := m.Album(context.Background(), "hmm", members)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(members)
	got, err := m.Album(context.Background(), "hmm", members)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		a, b := want[i].Top, got[len(got)-1-i].Top
		for k := range a {
			if a[k].Cell != b[k].Cell || math.Abs(a[k].P-b[k].P) > 1e-9 {
				t.Errorf("photo %d: %v, reversed %v", i, a, b)
			}
		}
	}
}

// TestChainIsExact compares with the sum over all ways an album can take, on a division small enough to write it down.
func TestChainIsExact(t *testing.T) {
	m := loadTiny(t)
	e := m.earth
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "photos")
		members := make([]Member, n)
		at := noon
		for i := range members {
			at = at.Add(time.Minute << rapid.IntRange(0, 12).Draw(t, "gap")) // powers of two are not rounded
			p := rapid.Float64Range(0.3, 0.9).Draw(t, "p")
			top := []Candidate{{0, p}, {1, (1 - p) / 2}, {2, (1 - p) / 3}, {3, (1 - p) / 6}}
			shift := rapid.IntRange(0, 3).Draw(t, "class")
			for k := range top {
				top[k].Cell = (top[k].Cell + shift) % 4
			}
			members[i] = Member{Sight: Sight{Top: top}, TakenAt: at}
		}
		if rapid.Bool().Draw(t, "anchor") {
			members[rapid.IntRange(0, n-1).Draw(t, "which")].Anchor = &rome
		}
		want := byID(e.newChain(members, 0.05, n), everyWay(e.newChain(members, 0.05, n)))
		for _, length := range []int{n, 1, 2, 3} { // however it is cut: here every stretch knows the whole earth
			c := e.newChain(members, 0.05, length)
			around, err := c.around(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range byID(c, around) {
				for id, p := range want[i] {
					if math.Abs(got[id]-p) > 1e-6 {
						t.Fatalf("cut into %d, photo %d: %v, want %v", length, i, got, want[i])
					}
				}
			}
		}
	})
}

// byID names the probabilities of each photo by their spots; the rest of the earth is 1000.
func byID(c *chain, around [][]float64) []map[int]float64 {
	var named []map[int]float64
	for _, s := range c.stretches {
		for _, p := range around[s.lo:s.hi] {
			m := map[int]float64{1000: p[len(s.spots)]}
			for j, spot := range s.spots {
				m[spot.id] = p[j]
			}
			named = append(named, m)
		}
	}
	return named
}

// everyWay adds up the probabilities of every sequence of spots. What the photo itself looks like is left out.
func everyWay(c *chain) [][]float64 {
	s := c.stretches[0]
	states, photos := len(s.spots)+1, len(c.members)
	sums := make([][]float64, photos)
	for i := range sums {
		sums[i] = make([]float64, states)
	}
	way := make([]int, photos)
	var walk func(i int, p float64)
	walk = func(i int, p float64) {
		if i == photos {
			for k, state := range way {
				if seen := s.seen[k][state]; seen > 0 {
					sums[k][state] += p / seen
				}
			}
			return
		}
		for state := range states {
			step := s.prior()[state]
			if i > 0 {
				step = c.crossing(s, s, c.gap(i))[way[i-1]*states+state]
			}
			way[i] = state
			walk(i+1, p*step*s.seen[i][state])
		}
	}
	walk(0, 1)
	for i := range sums {
		scaleToOne(sums[i])
	}
	return sums
}

// TestDepartureIsADistribution: wherever one leaves, after whatever time, one is somewhere; and the longer it is, the less
// likely still there.
func TestDepartureIsADistribution(t *testing.T) {
	e := newEarth(level6(t), bundle.DefaultTravel())
	rapid.Check(t, func(t *rapid.T) {
		from := e.spots[rapid.IntRange(0, len(e.spots)-1).Draw(t, "from")]
		if rapid.Bool().Draw(t, "place") {
			from = e.place(Anchor{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon")}, 0)
		}
		spots := []spot{from}
		for range rapid.IntRange(0, 20).Draw(t, "others") {
			to := e.spots[rapid.IntRange(0, len(e.spots)-1).Draw(t, "to")]
			if !slices.ContainsFunc(spots, func(s spot) bool { return s.id == to.id }) {
				spots = append(spots, to)
			}
		}
		last := 1.0
		for _, gap := range []time.Duration{0, time.Minute, time.Hour, 24 * time.Hour, 1e4 * time.Hour} {
			to := make([]float64, len(spots))
			sum := e.departure(from, gap).fill(spots, to)
			for _, p := range to {
				if !(p >= 0) {
					t.Fatalf("%v: %v", gap, to)
				}
				sum += p
			}
			if sum > 1+1e-9 || to[0] > last {
				t.Fatalf("%v: adds up to %v, stays with %v after %v", gap, sum, to[0], last)
			}
			last = to[0]
		}
	})
}

// TestPullsFromAfar: counting far classes by the block changes next to nothing.
func TestPullsFromAfar(t *testing.T) {
	e := newEarth(level6(t), bundle.DefaultTravel())
	for _, row := range []int{0, 63, 64, 7777, len(e.spots) - 1} {
		from, exact := e.spots[row], 0.0
		for _, s := range e.spots {
			if s.id != from.id {
				exact += s.share * pull(from.apart(s), 5000)
			}
		}
		if got := e.pulls(from, 5000); math.Abs(got/exact-1) > 0.02 {
			t.Errorf("class %d: %g, one by one %g", row, got, exact)
		}
	}
}

func TestScene(t *testing.T) {
	at := func(minutes ...int) []Member {
		list := make([]Member, len(minutes))
		for i, m := range minutes {
			if m >= 0 {
				list[i].TakenAt = noon.Add(time.Duration(m) * time.Minute)
			}
		}
		return list
	}
	for _, row := range []struct {
		story   string
		members []Member
		photo   int
		want    int
	}{
		{"alone", at(0), 0, 1},
		{"an hour apart", at(0, 60), 0, 1},
		{"ten minutes before and after", at(0, 10, 20, 31), 1, 3},
		{"no time", at(0, -1, 1), 1, 1},
		{"beside one without a time", at(0, 1, -1), 0, 2},
		{"a burst counts up to a limit", at(make([]int, 200)...), 100, sceneMost},
	} {
		if got := (&chain{members: row.members}).scene(row.photo); got != row.want {
			t.Errorf("%s: %d photos, want %d", row.story, got, row.want)
		}
	}
}
