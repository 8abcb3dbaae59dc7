package enrich

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"planetag/enrich/bundle"
)

// The shipped model and the shipped photos, made into albums that should not be.

type shipped struct {
	file, album string
	sight       Sight
	at          Anchor
}

func shippedPhotos(t *testing.T) (*Model, []shipped) {
	t.Helper()
	m := loadTiny(t, func(o *Options) { o.Bundle, o.SkipGolden = "../bundles/demo", true })
	const dir = "../pipeline/demo/photos"
	text, err := os.Open(filepath.Join(dir, "manifest.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var photos []shipped
	for _, row := range rows[1:] {
		p := shipped{file: row[0], album: row[4], at: Anchor{Kind: "manifest"}}
		if p.at.Lat, err = strconv.ParseFloat(row[1], 64); err != nil {
			continue // the screenshot was taken nowhere
		}
		if p.at.Lon, err = strconv.ParseFloat(row[2], 64); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, p.file))
		if err != nil {
			t.Fatal(err)
		}
		pixels := make([]byte, m.info.InputBytes)
		if _, err := m.Decode(context.Background(), data, pixels); err != nil {
			t.Fatal(err)
		}
		sights, err := m.Embed(context.Background(), [][]byte{pixels})
		if err != nil {
			t.Fatal(err)
		}
		p.sight = sights[0]
		photos = append(photos, p)
	}
	return m, photos
}

// TestLandmarksAmongAnotherPersonsPhotos: somebody's album, every photo with a position, and in between the landmark that a
// friend photographed in another city at the same hour. Where the model knows the landmark, the positions must not move it
// away with confidence.
func TestLandmarksAmongAnotherPersonsPhotos(t *testing.T) {
	m, photos := shippedPhotos(t)
	mixed := 0
	for _, stranger := range photos {
		alone := m.Answer(bundle.Single, stranger.sight.Top)
		if alone.Confidence < 0.2 || alone.Abstained || kmTo(alone, stranger.at) > 25 {
			continue // the model does not know it, or is not sure: then positions win, and that is the limit of anchors
		}
		for _, owner := range []string{"singapore-2024", "odessa-2019", "edinburgh-2022", "krakow-2019"} {
			album := []Member{{Sight: stranger.sight, TakenAt: noon.Add(50 * time.Minute)}}
			for i, p := range photos {
				if p.album == owner {
					at := noon.Add(time.Duration(len(album)) * 20 * time.Minute)
					album = append(album, Member{Sight: p.sight, TakenAt: at, Anchor: &photos[i].at})
				}
			}
			if looksLike(m, stranger.sight, *album[1].Anchor) {
				continue // nobody who sees the photo could tell
			}
			mixed++
			for _, mode := range []string{bundle.Average, bundle.LSTM, bundle.LSTMRepeat, bundle.HMM} {
				_, answers := readAlbum(t, m, mode, album)
				if a := answers[0]; !a.Abstained && kmTo(a, stranger.at) > a.RadiusP90/1000 && a.RadiusP90 < 1000e3 {
					t.Errorf("%s: %s among %s: %.0f km off, within %.0f km at %.2f; alone it is right at %.2f",
						mode, stranger.file, owner, kmTo(a, stranger.at), a.RadiusP90/1000, a.Confidence, alone.Confidence)
				}
			}
		}
	}
	if mixed < 4 {
		t.Errorf("only %d albums could be mixed", mixed)
	}
}

// looksLike tells whether the model holds the class of a place for at least twice as probable as it does without a look.
func looksLike(m *Model, s Sight, at Anchor) bool {
	looks := m.earth.place(at, 0).looks
	for _, c := range s.Top {
		if c.Cell == looks {
			return c.P*float64(m.info.Cells) > 2
		}
	}
	return false
}

// TestCameraWithAnotherClock: two cameras on one journey, one with positions and one whose clock is a year off. In time its
// photos are near nothing, so the positions say little: the radius must say so.
func TestCameraWithAnotherClock(t *testing.T) {
	m, photos := shippedPhotos(t)
	for _, mode := range []string{bundle.Average, bundle.LSTM, bundle.LSTMRepeat, bundle.HMM} {
		asked, sure := 0, 0
		for _, owner := range []string{"stuttgart-2024", "arezzo-2008", "adriatic-2018"} {
			var album []Member
			var truth []Anchor
			for i, p := range photos {
				at := noon.Add(time.Duration(len(album)) * 20 * time.Minute)
				switch {
				case p.album == owner:
					album = append(album, Member{Sight: p.sight, TakenAt: at, Anchor: &photos[i].at})
				case p.album == "singapore-2024" || p.album == "krakow-2019":
					album = append(album, Member{Sight: p.sight, TakenAt: at.AddDate(-1, 0, 0)})
				default:
					continue
				}
				truth = append(truth, p.at)
			}
			_, answers := readAlbum(t, m, mode, album)
			for i, a := range answers {
				if album[i].Anchor == nil {
					asked++
					if !a.Abstained && kmTo(a, truth[i]) > a.RadiusP90/1000+25 {
						sure++
					}
				}
			}
		}
		if sure*10 > asked {
			t.Errorf("%s: %d of %d photos are outside a radius that nine of ten should be in", mode, sure, asked)
		}
	}
}
