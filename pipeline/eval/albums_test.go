package eval

import (
	"reflect"
	"testing"
	"time"

	"planetag/enrich"
)

func photo(id, album string, hour int) item {
	it := item{row: Row{ID: id, Album: album}}
	if hour >= 0 {
		it.row.TakenAt = time.Date(2019, 5, 1, hour, 0, 0, 0, time.UTC)
	}
	return it
}

func TestAlbumsAreInCaptureOrder(t *testing.T) {
	items := []item{
		photo("evening", "rome", 20),
		photo("alone", "", 9),
		photo("no clock b", "rome", -1),
		photo("morning", "rome", 8),
		photo("also alone", "", 10),
		photo("no clock a", "rome", -1),
		photo("same minute b", "oslo", 7),
		photo("same minute a", "oslo", 7),
	}
	var got [][]string
	for _, g := range albums(items) {
		var ids []string
		for _, i := range g {
			ids = append(ids, items[i].row.ID)
		}
		got = append(got, ids)
	}
	want := [][]string{
		{"morning", "evening", "no clock a", "no clock b"},
		{"alone"},
		{"also alone"},
		{"same minute a", "same minute b"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func seen(digest byte, embedding ...float32) item {
	it := item{sight: enrich.Sight{Embedding: embedding}}
	it.digest[0] = digest
	return it
}

func TestNearestIsByAngleAndNeverItself(t *testing.T) {
	gallery := []item{
		seen(1, 1, 0),
		seen(2, 0, 100), // long, but at a right angle to the first
		seen(3, 0, 0),   // a dead embedding
		seen(4, 1, 0),   // the first again, other bytes
	}
	for _, row := range []struct {
		story string
		query item
		want  int
	}{
		{"length does not matter, the angle does", seen(9, 5, 1), 0},
		{"the other way", seen(9, 1, 5), 1},
		{"the same file may not answer, its twin may", seen(1, 1, 0), 3},
		{"on a tie the first answers", seen(9, 3, 0), 0},
	} {
		if got := nearest([]item{row.query}, gallery)[0]; got != row.want {
			t.Errorf("%s: gallery photo %d, want %d", row.story, got, row.want)
		}
	}
	if got := nearest([]item{seen(1, 1, 0)}, gallery[:1])[0]; got != -1 {
		t.Errorf("a gallery of only the photo itself answered %d", got)
	}
}
