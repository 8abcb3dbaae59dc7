package enrich

import (
	"slices"
	"testing"
	"time"

	"planetag/enrich/bundle"
)

// outings are the shipped albums, a list of photos each.
func outings(photos []shipped) (list [][]shipped) {
	of := map[string]int{}
	for _, p := range photos {
		if p.album == "" {
			continue
		}
		k, known := of[p.album]
		if !known {
			k = len(list)
			of[p.album], list = k, append(list, nil)
		}
		list[k] = append(list[k], p)
	}
	return list
}

// together puts the photos of several people into one album, in turns, a few minutes apart. Person k's photo i has a position
// where positioned says so.
func together(people [][]shipped, cameras []string, positioned func(k, i int) bool) (album []Member, truth []Anchor, who []int) {
	for i := range slices.MaxFunc(people, func(a, b []shipped) int { return len(a) - len(b) }) {
		for k, photos := range people {
			if i >= len(photos) {
				continue
			}
			at := noon.Add(time.Duration(len(album)) * 7 * time.Minute)
			m := Member{Sight: photos[i].sight, TakenAt: at, Camera: cameras[k]}
			if positioned(k, i) {
				m.Anchor = &photos[i].at
			}
			album, truth, who = append(album, m), append(truth, photos[i].at), append(who, k)
		}
	}
	return album, truth, who
}

// tally of the photos that have no position.
type tally struct{ asked, published, outside, far, sure int }

func (c *tally) add(a Answer, truth Anchor) {
	c.asked++
	if a.Abstained {
		return
	}
	c.published++
	off := kmTo(a, truth)
	if off > a.RadiusP90/1000 {
		c.outside++
	}
	if off > 200 {
		c.far++
		if a.RadiusP90 < 200e3 {
			c.sure++
		}
	}
}

// pairs tallies pairs of shipped albums that are 300 km apart or more, made into one.
func pairs(t *testing.T, m *Model, photos []shipped, mode string, cameras []string, positioned func(k, i int) bool) (c [2]tally) {
	t.Helper()
	all := outings(photos)
	for _, first := range all {
		for _, second := range all {
			if kmTo(Answer{Lat: first[0].at.Lat, Lon: first[0].at.Lon}, second[0].at) < 300 {
				continue
			}
			album, truth, who := together([][]shipped{first, second}, cameras, positioned)
			_, answers := readAlbum(t, m, mode, album)
			for i, a := range answers {
				if album[i].Anchor == nil {
					c[who[i]].add(a, truth[i])
				}
			}
		}
	}
	return c
}

// TestTwoPeopleInOneAlbum: both write down some positions, hundreds of kilometres apart in the same minutes. Their cameras
// tell them apart: each one's photos are answered as if the other were not there.
func TestTwoPeopleInOneAlbum(t *testing.T) {
	m, photos := shippedPhotos(t)
	for _, mode := range []string{bundle.Average, bundle.HMM} {
		for name, positioned := range map[string]func(k, i int) bool{
			"every other photo of both":                func(_, i int) bool { return i%2 == 0 },
			"all of one, every other one of the other": func(k, i int) bool { return k == 0 || i%2 == 0 },
		} {
			both := pairs(t, m, photos, mode, []string{"one", "another"}, positioned)
			for k, c := range both {
				t.Logf("%s, %s, person %d: %+v", mode, name, k+1, c)
				if c.far > 0 || c.outside*10 > c.published || c.published*10 < 9*c.asked {
					t.Errorf("%s, %s, person %d: %+v, want nine of ten published, none of them 200 km off, and one of ten outside of its radius", mode, name, k+1, c)
				}
			}
		}
	}
	// Where nobody knows the cameras, contradicting positions are at least a reason to doubt.
	for k, c := range pairs(t, m, photos, bundle.Average, []string{"", ""}, func(_, i int) bool { return i%2 == 0 }) {
		t.Logf("of unknown cameras, every other photo of both, person %d: %+v", k+1, c)
		if c.sure*20 > c.asked {
			t.Errorf("of unknown cameras, person %d: %+v, want one of twenty 200 km off within a small radius at most", k+1, c)
		}
	}
}

// TestCameraWithoutPositions: one of two people writes down every position, the other one none. Nothing but the pictures can
// tell whether the two were together, and the model knows little: what can be asked for is that it makes fewer mistakes than
// without knowing the cameras, and that somebody with a phone and a camera does not pay for it.
func TestCameraWithoutPositions(t *testing.T) {
	m, photos := shippedPhotos(t)
	onlyFirst := func(k, _ int) bool { return k == 0 }
	const mode = bundle.Average
	known := pairs(t, m, photos, mode, []string{"phone", "camera"}, onlyFirst)[1]
	unknown := pairs(t, m, photos, mode, []string{"", ""}, onlyFirst)[1]
	t.Logf("two people: %+v; of unknown cameras %+v", known, unknown)
	if known.far*4 > unknown.far*3 || known.sure*5 > unknown.sure*4 {
		t.Errorf("two people: %+v, want a quarter fewer far off than of unknown cameras, and a fifth fewer of these within a small radius: %+v", known, unknown)
	}
	var one, same tally
	for _, outing := range outings(photos) {
		for odd := range 2 {
			split := make([][]shipped, 2)
			for i, p := range outing {
				split[(i+odd)%2] = append(split[(i+odd)%2], p)
			}
			for _, c := range []struct {
				to      *tally
				cameras []string
			}{{&one, []string{"phone", "phone"}}, {&same, []string{"phone", "camera"}}} {
				album, truth, _ := together(split, c.cameras, onlyFirst)
				_, answers := readAlbum(t, m, mode, album)
				for i, a := range answers {
					if album[i].Anchor == nil {
						c.to.add(a, truth[i])
					}
				}
			}
		}
	}
	t.Logf("one person with two cameras: %+v; with one %+v", same, one)
	if same.published*10 < 8*one.published || same.outside > one.outside {
		t.Errorf("one person with two cameras: %+v, want no more outside than with one, and four of five of these published: %+v", same, one)
	}
}

// TestCamerasAreReadApart only where their positions contradict each other, and more often than not.
func TestCamerasAreReadApart(t *testing.T) {
	m := loadTiny(t)
	at := func(minutes int, camera string, anchor *Anchor) Member {
		return Member{TakenAt: noon.Add(time.Duration(minutes) * time.Minute), Camera: camera, Anchor: anchor}
	}
	nearRome := Anchor{Lat: rome.Lat + 0.01, Lon: rome.Lon}
	for _, c := range []struct {
		name    string
		members []Member
		want    [][]int
	}{
		{"nobody has a position", []Member{at(0, "a", nil), at(1, "b", nil)}, [][]int{{0, 1}}},
		{"one camera has", []Member{at(0, "a", &rome), at(1, "b", nil), at(2, "a", &nearRome)}, [][]int{{0, 1, 2}}},
		{"two that agree", []Member{at(0, "a", &rome), at(20, "b", &nearRome), at(40, "a", &rome)}, [][]int{{0, 1, 2}}},
		{"two that do not", []Member{at(0, "a", &rome), at(1, "b", &sydney), at(2, "a", nil), at(3, "b", nil)}, [][]int{{0, 2}, {1, 3}}},
		{"a third beside them belongs to nobody", []Member{at(0, "a", &rome), at(1, "c", nil), at(2, "b", &sydney), at(3, "", nil)}, [][]int{{0}, {1}, {2}, {3}}},
		{"one wrong position among right ones", []Member{at(0, "a", &rome), at(20, "b", &sydney), at(40, "b", &nearRome), at(60, "a", &rome), at(80, "b", &rome)}, [][]int{{0, 1, 2, 3, 4}}},
		{"one camera that contradicts itself", []Member{at(0, "a", &rome), at(1, "a", &sydney), at(2, "a", nil)}, [][]int{{0, 1, 2}}},
		{"cameras that nobody knows", []Member{at(0, "", &rome), at(1, "", &sydney)}, [][]int{{0, 1}}},
	} {
		if got := m.earth.hands(c.members); !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
