package index

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planetag/consumer"
	"planetag/pipeline"
	"planetag/pipeline/mapping"
)

// brief is what a retraction needs of a record.
type brief struct {
	Standing
	ID, Status string
	Model      *Model
	Time       time.Time
}

func briefly(d *Document) brief {
	return brief{d.standing(), d.PhotoID, d.Status, d.Model, d.Time}
}

// TestEveryPresetCanBeRetracted: whatever form the locations have, the same is known of them.
func TestEveryPresetCanBeRetracted(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000).UTC()
	model := &pipeline.ModelOfLocation{Bundle: "demo@1.0.0", SHA256: "aa"}
	point := &pipeline.Point{Lat: 41.9, Lon: 12.5}
	for _, l := range []pipeline.Location{
		{Status: pipeline.StatusEstimated, Stage: pipeline.StagePhoto, Location: point, RadiusP50M: 1, RadiusP90M: 2, Model: model},
		{Status: pipeline.StatusEstimated, Stage: pipeline.StageAlbum, Location: point, RadiusP50M: 1, RadiusP90M: 2, Model: model, Album: &pipeline.AlbumPart{ID: "a"}},
		{Status: pipeline.StatusGiven, Stage: pipeline.StagePhoto, Location: point, Given: &pipeline.GivenPosition{Source: "exif"}, Model: model},
		{Status: pipeline.StatusAbstained, Stage: pipeline.StagePhoto, Model: model},
		{Status: pipeline.StatusOptedOut, Stage: pipeline.StagePhoto},
	} {
		l.PhotoID, l.Revision, l.Time = "rome/1.jpg", 1_700_000_000_001, at
		plain, err := l.Record("planetag.locations", nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := read(plain, "none")
		if err != nil {
			t.Fatal(err)
		}
		for _, preset := range mapping.Presets(mapping.Output) {
			cfg := pipeline.DefaultConfig()
			cfg.Output.Map = preset
			w, err := pipeline.NewOutputWriter(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			rec, err := w.Record(t.Context(), l, "planetag.locations", nil)
			if err != nil {
				t.Fatal(err)
			}
			rec.Partition = plain.Partition
			got := mapped(rec)
			if got == nil {
				t.Fatalf("%s of %s is not understood: %s", preset, l.Status, rec.Value)
			}
			if diff := cmp.Diff(briefly(want), briefly(got)); diff != "" {
				t.Errorf("%s of %s (-default +mapped):\n%s", preset, l.Status, diff)
			}
		}
	}
	for _, value := range []string{`{}`, `"rome"`, `nothing`, `{"photo_id": "other", "stage": "photo", "revision": 1}`, `{"photo_id": "rome/1.jpg", "stage": "x", "revision": 1}`} {
		if d := mapped(consumer.Record{Key: []byte("rome/1.jpg"), Value: []byte(value)}); d != nil {
			t.Errorf("%s is taken for %+v", value, d)
		}
	}
}
