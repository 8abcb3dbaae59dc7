package eval

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func photo(id, album string, hour int) Row {
	row := Row{ID: id, Album: album}
	if hour >= 0 {
		row.TakenAt = time.Date(2019, 5, 1, hour, 0, 0, 0, time.UTC)
	}
	return row
}

func TestAlbumsAreInCaptureOrder(t *testing.T) {
	rows := []Row{
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
	for _, g := range albums(rows) {
		var ids []string
		for _, i := range g {
			ids = append(ids, rows[i].ID)
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

func TestAWrongClockKeepsItsPlace(t *testing.T) {
	rows := []Row{photo("today", "rome", 9), photo("from the future", "rome", 8), photo("earlier today", "rome", 7)}
	rows[1].TakenAt = rows[1].TakenAt.AddDate(70, 0, 0)
	if got := albums(rows); !reflect.DeepEqual(got, [][]int{{2, 0, 1}}) {
		t.Errorf("a time of 2089 comes after those of 2019: %v", got)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	notes := clocks(append(rows, photo("no clock", "rome", -1), photo("no clock either, but alone", "", -1)), now)
	if len(notes) != 2 || !strings.Contains(notes[0], "taken_at of 1 photos lies in the future, the first is from the future") ||
		!strings.Contains(notes[1], "1 photos of albums have no taken_at, the first is no clock") {
		t.Errorf("notes: %q", notes)
	}
	if notes := clocks(rows, time.Time{}); notes != nil {
		t.Errorf("nobody asked what time it is: %q", notes)
	}
}
