package pipeline

import (
	"context"
	"fmt"
	"testing"
	"time"

	"planetag/enrich"
	"planetag/enrich/decode"
)

// ostia is in no cell of the tiny bundle, 26 km from the mean location of its Roman photos, which these look like.
func ostia() *Position { return &Position{Lat: 41.7316, Lon: 12.2763, Source: "exif"} }

// TestAnchorsPlaceTheOtherPhotos: one close answers every photo of the album once. A photo that has a position keeps it to
// the digit, and the one between two such photos is where they are.
func TestAnchorsPlaceTheOtherPhotos(t *testing.T) {
	model := tinyModel(t)
	for _, mode := range []string{"average", "lstm", "lstm_repeat", "blstm", "hmm"} {
		if !model.Offers(mode) {
			continue
		}
		t.Run(mode, func(t *testing.T) {
			p := &logPartition{t: t}
			stage := albumTestStage(model, albumTestConfig)
			stage.cfg.Albums.Mode = mode
			sha := model.Info().SHA256
			p.positioned("rome", "rome/1", albumDay, sha, ostia())
			p.photo("rome", "rome/2", albumDay.Add(10*time.Minute), sha)
			p.positioned("rome", "rome/3", albumDay.Add(20*time.Minute), sha, ostia())
			run, _ := life(stage, p)
			if err := run.turn(context.Background(), albumDay.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if len(p.locations) != 3 {
				t.Fatalf("%d locations of 3 photos", len(p.locations))
			}
			for _, i := range []int{0, 2} {
				l := p.locations[i]
				if l.Status != StatusGiven || *l.Location != (Point{Lat: 41.7316, Lon: 12.2763}) || l.RadiusP90M != 0 || l.Album.Anchors != 1 {
					t.Errorf("a photo with a position: %+v, album %+v", l, l.Album)
				}
			}
			l := p.locations[1]
			if l.Status != StatusEstimated || l.Given != nil || l.PhotoOnly == nil || l.RadiusP90M <= 0 {
				t.Fatalf("between them: %+v", l)
			}
			off := enrich.DistanceMetres(l.Location.Lat, l.Location.Lon, 41.7316, 12.2763)
			if off < 1 || off > 2000 { // as near as the cap allows, and no nearer
				t.Errorf("%.0f m from the two photos around it", off)
			}
			if a := l.Album; a.Anchors != 2 || !a.FromAnchors || a.NearestAnchorSource != "exif" || a.NearestAnchorS == nil || *a.NearestAnchorS != 600 {
				t.Errorf("album part %+v", a)
			}
		})
	}
}

// TestTwoPeopleInOneAlbum: their cameras, which the photo stage has found in the EXIF, tell their photos apart, although they were
// taken in the same minutes of two continents.
func TestTwoPeopleInOneAlbum(t *testing.T) {
	model := tinyModel(t)
	p := &logPartition{t: t}
	sydney := Position{Lat: -33.8688, Lon: 151.2093, Source: "exif"}
	people := []struct {
		camera string
		at     Position
	}{{"Canon", *ostia()}, {"Nikon", sydney}}
	for i := range 12 {
		who, id := people[i%2], fmt.Sprintf("trip/%02d", i)
		ref := Reference{PhotoID: id, Bucket: "b", Key: id, Album: "trip", TakenAt: albumDay.Add(time.Duration(i) * time.Minute)}
		exif := decode.Exif{Camera: who.camera}
		if i/2%2 == 0 {
			exif.Position = &decode.Position{Lat: who.at.Lat, Lon: who.at.Lon}
		}
		p.embedded(withExif(ref, exif), model.Info().SHA256, enrich.Candidate{Cell: 0, P: 0.3}, enrich.Candidate{Cell: 1, P: 0.25}, enrich.Candidate{Cell: 2, P: 0.25})
	}
	run, _ := life(albumTestStage(model, albumTestConfig), p)
	if err := run.turn(context.Background(), albumDay.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if len(p.locations) != 12 {
		t.Fatalf("%d locations of 12 photos", len(p.locations))
	}
	for i, l := range p.locations {
		at := people[i%2].at
		if l.Status == StatusAbstained || enrich.DistanceMetres(l.Location.Lat, l.Location.Lon, at.Lat, at.Lon) > 5000 {
			t.Errorf("photo %d: %s, %+v", i, l.Status, l.Location)
		}
	}
}

// TestLateAnchorMovesAnAlbum: a position that comes later is evidence in the next close, once, with a higher revision.
func TestLateAnchorMovesAnAlbum(t *testing.T) {
	model := tinyModel(t)
	p := &logPartition{t: t}
	sha := model.Info().SHA256
	p.photo("rome", "rome/1", albumDay, sha)
	run, from := life(albumTestStage(model, albumTestConfig), p)
	if err := run.turn(context.Background(), albumDay.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	p.positioned("rome", "rome/2", albumDay.Add(2*time.Minute), sha, ostia())
	catchUp(run, from)
	for i := range 3 { // it is closed once, not at every turn
		if err := run.turn(context.Background(), albumDay.Add(time.Duration(5+i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	var story []string
	last := int64(0)
	for _, l := range p.locations {
		story = append(story, fmt.Sprint(l.PhotoID, " ", l.Status, " ", l.Album.Anchors))
		if l.PhotoID == "rome/1" {
			if l.Revision <= last {
				t.Errorf("revision %d after %d", l.Revision, last)
			}
			last = l.Revision
		}
	}
	if got, want := fmt.Sprint(story), "[rome/1 estimated 0 rome/1 estimated 1 rome/2 given 0]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNumbersThatAreNoneStayOut: an embedding whose probabilities are none costs its own album-level answer and no other.
func TestNumbersThatAreNoneStayOut(t *testing.T) {
	model := tinyModel(t)
	p := &logPartition{t: t}
	sha := model.Info().SHA256
	p.photo("rome", "rome/1", albumDay, sha)
	value, err := EncodeEmbedding(Embedding{
		Reference: Reference{PhotoID: "rome/odd", Bucket: "b", Key: "odd", Album: "rome", TakenAt: albumDay}, Model: sha,
		Top: []enrich.Candidate{{Cell: 4000, P: 7}}, Vector: make([]float32, 8),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.photo("rome", "rome/odd", albumDay, sha)
	p.records[1].Value = value
	run, _ := life(albumTestStage(model, albumTestConfig), p)
	if err := run.turn(context.Background(), albumDay.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if len(p.locations) != 1 || p.locations[0].PhotoID != "rome/1" {
		t.Errorf("locations %+v", p.locations)
	}
}

// TestAlbumsSayWhatTheirAnchorsDid, and nothing where there are none.
func TestAlbumsSayWhatTheirAnchorsDid(t *testing.T) {
	part := readGolden(t, "album_anchored")["album"].(map[string]any)
	want := map[string]any{"anchors": 3.0, "nearest_anchor_s": 1235.0, "nearest_anchor_source": "exif", "from_anchors": true}
	for field, value := range want {
		if part[field] != value {
			t.Errorf("album.%s is %v, want %v", field, part[field], value)
		}
		if other, ok := readGolden(t, "album")["album"].(map[string]any)[field]; ok {
			t.Errorf("without anchors there is %s: %v", field, other)
		}
	}
	untimed := albumPart(enrich.Reading{Anchors: 1, Nearest: &enrich.NearestAnchor{Kind: "reference"}}, AlbumPart{})
	if untimed.NearestAnchorS != nil || untimed.FromAnchors || untimed.NearestAnchorSource != "reference" {
		t.Errorf("without times: %+v", untimed)
	}
}
