package enrich

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// Rows of the tiny bundle's division.
const (
	inRome = iota
	inParis
	inSydney
	inNewYork
)

// holiday is an owner who was in Rome, a week later in Paris, and three weeks later in New York.
func holiday(t testing.TB) *diary {
	t.Helper()
	table, err := cells.Load(filepath.Join(tiny, "cells.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return newDiary([]cells.Entry{{Day: 19000, Row: inRome, Photos: 3}, {Day: 19007, Row: inParis, Photos: 1}, {Day: 19030, Row: inNewYork, Photos: 2}}, table)
}

// onDay is late on a day.
func onDay(day int64) time.Time { return time.Unix(day*86400+86399, 0) }

// TestDiaryIsThatOfTraining: the numbers are those of train/tests/test_diary.py, for a photo of an album and for one alone.
func TestDiaryIsThatOfTraining(t *testing.T) {
	d := holiday(t)
	m := Model{diary: d, placer: &placer{calibration: map[string]bundle.Calibration{bundle.Dated: {}}}}
	top := []Candidate{{inParis, 0.4}, {inRome, 0.3}, {inSydney, 0.2}, {inNewYork, 0.05}}
	for _, row := range []struct {
		story string
		day   int64
		want  []Candidate
		said  bool
	}{
		{"the day after Rome", 19001, []Candidate{{inRome, 0.534005445}, {inSydney, 0.2}, {inParis, 0.194827913}, {inNewYork, 0.021166642}}, true},
		{"the day after Paris", 19008, []Candidate{{inParis, 0.547410030}, {inSydney, 0.2}, {inRome, 0.179791561}, {inNewYork, 0.022798409}}, true},
		{"years later", 21915, top, false},
	} {
		told, said := d.told([]Member{{Sight: Sight{Top: top}, TakenAt: onDay(row.day)}})
		got, alone := told[0].Sight.Top, m.Alone(top, onDay(row.day))
		if said != row.said || !slices.EqualFunc(got, row.want, func(a, b Candidate) bool { return a.Cell == b.Cell && math.Abs(a.P-b.P) < 1e-8 }) {
			t.Errorf("%s: %v, want %v", row.story, got, row.want)
		}
		if alone.FromDiary != row.said || !slices.Equal(alone.Top, got) {
			t.Errorf("%s: alone %v, in an album %v", row.story, alone, got)
		}
	}
	if top[0].Cell != inParis {
		t.Error("the sight itself was changed")
	}
	if dayOf(time.Unix(-1, 0)) != -1 || dayOf(time.Unix(0, 0)) != 0 {
		t.Error("a day before 1970 is rounded to the wrong side")
	}
}

// TestDiaryKeepsItsOwnMass: other cells keep theirs to the bit, the diary's cells have together what they had, and the list
// stays one.
func TestDiaryKeepsItsOwnMass(t *testing.T) {
	d := holiday(t)
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.Permutation([]int{inRome, inParis, inSydney, inNewYork}).Draw(t, "cells")[:rapid.IntRange(0, 4).Draw(t, "k")]
		var top []Candidate
		before := map[int]float64{}
		for _, row := range rows {
			p := rapid.Float64Range(0, 0.25).Draw(t, "p")
			top, before[row] = append(top, Candidate{row, p}), p
		}
		slices.SortFunc(top, byProbability)
		told, _ := d.told([]Member{{Sight: Sight{Top: top}, TakenAt: onDay(rapid.Int64Range(-1e5, 1e5).Draw(t, "day"))}})
		got := told[0].Sight.Top
		if err := checkTop(got, 4); err != nil || len(got) != len(top) {
			t.Fatalf("%v of %v: %v", got, top, err)
		}
		sum := 0.0
		for _, c := range got {
			if c.Cell == inSydney && c.P != before[inSydney] {
				t.Fatalf("Sydney, of which the diary knows nothing, has %v of %v", c.P, before[inSydney])
			}
			sum += c.P - before[c.Cell]
		}
		if math.Abs(sum) > 1e-12 {
			t.Fatalf("%v became %v", top, got)
		}
	})
}

// TestDiaryOfTheOwnerSaysNothingOfStrangers: a photo that is hardly of the archive keeps its place, whatever the day.
func TestDiaryOfTheOwnerSaysNothingOfStrangers(t *testing.T) {
	told, _ := holiday(t).told([]Member{{Sight: Sight{Top: []Candidate{{inSydney, 0.3}, {inParis, 0.1}, {inRome, 0.1}}}, TakenAt: onDay(19000)}})
	if got := told[0].Sight.Top; got[0].Cell != inSydney || math.Abs(got[1].P-0.1) > 0.02 {
		t.Errorf("got %v", got)
	}
}

// TestAlbumsAreToldOfDays through the bundle: grey photos, which look like nothing, are where the owner was; with a position in the album, or
// without times, everything is as without a diary.
func TestAlbumsAreToldOfDays(t *testing.T) {
	entries := []diaryEntry{{19000, inParis, 9}, {19000, inRome, 1}, {19300, inSydney, 5}, {19300, inNewYork, 5}}
	m, plain := loadTiny(t, func(o *Options) { o.Bundle = withDiary(t, entries) }), loadTiny(t)
	sights := see(t, m, grey, grey)
	anchor := Anchor{Lat: 48.8566, Lon: 2.3522, Kind: "exif"}
	for _, mode := range []string{"average", "hmm"} {
		for _, row := range []struct {
			story   string
			members []Member
			told    bool
		}{
			{"on a day the owner was in Paris", []Member{{Sight: sights[0], TakenAt: onDay(19000)}, {Sight: sights[1]}}, true},
			{"on a day nobody knows", []Member{{Sight: sights[0]}, {Sight: sights[1]}}, false},
			{"with a position", []Member{{Sight: sights[0], TakenAt: onDay(19000)}, {Sight: sights[1], TakenAt: onDay(19000), Anchor: &anchor}}, false},
		} {
			with, _ := readAlbum(t, m, mode, row.members)
			without, _ := readAlbum(t, plain, mode, row.members)
			if with[0].FromDiary != row.told || slices.Equal(with[0].Top, without[0].Top) == row.told {
				t.Errorf("%s, %s: told %v, %v, without a diary %v", mode, row.story, with[0].FromDiary, with[0].Top, without[0].Top)
			}
			if row.told && (with[0].Top[0].Cell != inParis || without[0].Top[0].Cell == inParis) {
				t.Errorf("%s, %s: %v", mode, row.story, with[0].Top)
			}
		}
	}
}

func TestBundleWithABadDiaryIsRefused(t *testing.T) {
	_, err := Load(context.Background(), Options{Library: library(t), Bundle: withDiary(t, []diaryEntry{{19000, 7, 1}})})
	if !errors.Is(err, cells.ErrDiary) || !strings.Contains(err.Error(), "diary.parquet") {
		t.Errorf("got %v", err)
	}
}

// diaryEntry is a row as train/diary.py writes it.
type diaryEntry struct {
	Day    int32 `parquet:"day,date"`
	Row    int32 `parquet:"row"`
	Photos int64 `parquet:"photos"`
}

// withDiary is the tiny bundle with a diary.
func withDiary(t testing.TB, entries []diaryEntry) string {
	t.Helper()
	return remade(t, tiny, func(b *bundle.Bundle) {
		b.Manifest.Album.Diary = "diary.parquet"
		if err := parquet.WriteFile(b.Path(b.Manifest.Album.Diary), entries); err != nil {
			t.Fatal(err)
		}
	})
}
