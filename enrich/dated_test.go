package enrich

import (
	"reflect"
	"testing"
	"time"

	"planetag/enrich/bundle"
)

// withDays is the tiny bundle with the diary of an owner who was in Paris on the day 19000, and with what photos told of their day are worth.
const withDays = "testdata/dated"

func loadDated(t testing.TB) *Model {
	t.Helper()
	return loadTiny(t, func(o *Options) { o.Bundle = withDays })
}

// TestAPhotoAloneGoesByItsDay: grey photos, which look like nothing, are where the owner was then; on other days, and without
// one, they are nowhere, as for a bundle that knows no days.
func TestAPhotoAloneGoesByItsDay(t *testing.T) {
	m, plain := loadDated(t), loadTiny(t)
	top := see(t, m, grey)[0].Top
	for _, row := range []struct {
		story string
		at    time.Time
		told  bool
	}{
		{"on a day the owner was in Paris", onDay(19000), true},
		{"a month later", onDay(19030), true},
		{"a month and a day later", onDay(19031), false},
		{"before there were days", onDay(-1), false},
		{"nobody knows when", time.Time{}, false},
	} {
		r := m.Alone(top, row.at)
		got, want := m.AnswerAlone(r), plain.Answer(bundle.Single, top)
		if r.FromDiary != row.told || reflect.DeepEqual(got, want) == row.told {
			t.Errorf("%s: %+v, answer %+v", row.story, r, got)
		}
	}
	if a := m.AnswerAlone(m.Alone(top, onDay(19000))); a.Abstained || a.Place.CountryCode != "FR" {
		t.Errorf("on a day in Paris: %+v", a)
	}
}

// TestToldPhotosHaveATableOfTheirOwn: that of single is for pictures, also of a bundle that knows days; what is told is neither judged
// by it nor refused by it.
func TestToldPhotosHaveATableOfTheirOwn(t *testing.T) {
	m := loadDated(t)
	top := see(t, m, grey)[0].Top
	told, picture := m.Alone(top, onDay(19000)), Reading{Top: top}
	if a, b := m.AnswerAlone(picture), m.Answer(bundle.Single, top); !reflect.DeepEqual(a, b) || !a.Abstained || a.RadiusP50 != 5000e3 {
		t.Errorf("the picture alone: %+v, want %+v", a, b)
	}
	if a := m.AnswerAlone(told); a.Abstained || a.RadiusP50 != 70e3 || a.RadiusP90 != 700e3 {
		t.Errorf("told: %+v", a)
	}
	if a := m.Answer(bundle.Single, told.Top); a.RadiusP50 == 70e3 {
		t.Errorf("the two tables are one: %+v", a)
	}
}

// TestTheOwnersDaysLeaveAStrangersPhotoAlone: it was taken on one of them, and shows Sydney.
func TestTheOwnersDaysLeaveAStrangersPhotoAlone(t *testing.T) {
	m := loadDated(t)
	top := []Candidate{{inSydney, 0.85}, {inParis, 0.05}, {inRome, 0.05}}
	m.diary = holiday(t) // which does not know Sydney
	r := m.Alone(top, onDay(19007))
	if r.Top[0] != top[0] || r.Top[1].P > 0.06 {
		t.Errorf("got %v", r.Top)
	}
}

// TestBundlesWithoutTheTableDoNotTellPhotosAlone: they were made before there was one, and albums are told by them all the same.
func TestBundlesWithoutTheTableDoNotTellPhotosAlone(t *testing.T) {
	m := loadTiny(t, func(o *Options) { o.Bundle = withoutDated(t) })
	sight := see(t, m, grey)[0]
	if r := m.Alone(sight.Top, onDay(19000)); r.FromDiary || !reflect.DeepEqual(r.Top, sight.Top) {
		t.Errorf("told without a table: %+v", r)
	}
	if read, _ := readAlbum(t, m, "average", []Member{{Sight: sight, TakenAt: onDay(19000)}}); !read[0].FromDiary {
		t.Errorf("the album is not told: %+v", read)
	}
}

// withoutDated is the bundle withDays but for its table of told photos.
func withoutDated(t testing.TB) string {
	t.Helper()
	return remade(t, withDays, func(b *bundle.Bundle) { delete(b.Manifest.Calibration, bundle.Dated) })
}
