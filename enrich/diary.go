package enrich

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// diary is what a bundle that has learned an archive knows of when its owner was where: by the day and by the cell, no
// finer. It moves a photo's probability among the cells of the archive, the more the surer the photo is to be of the
// archive at all, and never from other cells to these: the owner's whereabouts say nothing about somebody else's photo.
//
// train/diary.py computes the same, photo by photo, when the bundle is calibrated, and says where the numbers are from.
type diary struct {
	entries []cells.Entry // by day
	rows    map[int]int   // row of the division → index of at
	at      []vector
	around  []float64 // for each row, the pull on all of them together
}

const (
	diaryMetres = 200e3    // at which another cell counts for a quarter
	diaryDoubt  = 0.2      // what every cell keeps, wherever the owner was: clocks are wrong, and archives have several people
	diaryFaint  = 1.0 / 16 // as much as a photo three days away speaks for nowhere in particular
	diaryReach  = 30       // days, beyond which nobody remembers
)

func newDiary(entries []cells.Entry, table *cells.Cells) *diary {
	d := &diary{entries: slices.Clone(entries), rows: map[int]int{}}
	slices.SortStableFunc(d.entries, byDay)
	for _, e := range d.entries {
		if _, known := d.rows[e.Row]; !known {
			d.rows[e.Row] = len(d.at)
			cell := table.At(e.Row)
			d.at = append(d.at, vectorOf(cell.Lat, cell.Lon))
		}
	}
	d.around = make([]float64, len(d.at))
	for i, a := range d.at {
		for _, b := range d.at {
			d.around[i] += near(a, b)
		}
	}
	return d
}

func byDay(a, b cells.Entry) int { return cmp.Compare(a.Day, b.Day) }

// near is how much an owner in one cell says for another.
func near(a, b vector) float64 {
	x := 1 + a.metres(b)/diaryMetres
	return 1 / (x * x)
}

// dayOf is the number of a day since 1970.
func dayOf(t time.Time) int { return int(math.Floor(float64(t.Unix()) / 86400)) }

// told are the photos of an album with what the diary says of their days, and whether it says anything. An album of which
// somebody knows a position needs no diary, and has better. A photo alone is an album of one.
func (d *diary) told(members []Member) (out []Member, said bool) {
	if d == nil || slices.ContainsFunc(members, func(m Member) bool { return m.Anchor != nil }) {
		return members, false
	}
	out = slices.Clone(members)
	days := map[int]whereabouts{}
	for i, m := range members {
		if m.TakenAt.IsZero() {
			continue
		}
		day := dayOf(m.TakenAt)
		if _, known := days[day]; !known {
			days[day] = d.of(day)
		}
		if len(days[day].there) > 0 {
			out[i].Sight.Top, said = d.weigh(m.Sight.Top, days[day]), true
		}
	}
	return out, said
}

// Alone is what a photo makes of the day on which it was taken, for AnswerAlone: where the bundle has learned an archive and
// knows where its owner was around then, and where it is known what such answers are worth, the photo is told. Else its most
// probable classes stay what the picture says; a time of zero is not known. It is no way to doubt a position: what is to be
// compared with one is the picture alone, Reading{Top: top}.
func (m *Model) Alone(top []Candidate, takenAt time.Time) Reading {
	if _, measured := m.placer.calibration[bundle.Dated]; !measured {
		return Reading{Top: top}
	}
	told, said := m.diary.told([]Member{{Sight: Sight{Top: top}, TakenAt: takenAt}})
	return Reading{Top: told[0].Sight.Top, FromDiary: said}
}

// whereabouts are where the owner was on a day: rows of the diary that speak for what is near them, and how much speaks for
// all rows alike.
type whereabouts struct {
	there []stay
	alike float64
}

type stay struct {
	row   int
	share float64
}

// of is a day by the days around it: one a day away counts for a quarter, one a week away for a sixty-fourth.
func (d *diary) of(day int) whereabouts {
	sums, sum := map[int]float64{}, diaryFaint
	first, _ := slices.BinarySearchFunc(d.entries, cells.Entry{Day: day - diaryReach}, byDay)
	for _, e := range d.entries[first:] {
		if e.Day > day+diaryReach {
			break
		}
		x := 1 + math.Abs(float64(day-e.Day))
		sums[d.rows[e.Row]] += float64(e.Photos) / (x * x)
		sum += float64(e.Photos) / (x * x)
	}
	w := whereabouts{alike: diaryFaint / sum}
	for _, row := range slices.Sorted(maps.Keys(sums)) { // by chance the last digit of what is added up would differ
		w.there = append(w.there, stay{row, sums[row] * float64(len(d.at)) / d.around[row] / sum})
	}
	return w
}

// prior is how much more probable a row of the diary is on a day than on any: 1 on average.
func (d *diary) prior(row int, w whereabouts) float64 {
	sum := w.alike
	for _, s := range w.there {
		sum += s.share * near(d.at[s.row], d.at[row])
	}
	return sum
}

// weigh is a photo's distribution, told of its day. What the diary's cells have together stays theirs.
func (d *diary) weigh(top []Candidate, day whereabouts) []Candidate {
	told := map[int]float64{} // by cell of the diary
	all, sum := 0.0, 0.0
	for _, c := range top {
		if row, ours := d.rows[c.Cell]; ours {
			told[c.Cell] = c.P * ((1-diaryDoubt)*d.prior(row, day) + diaryDoubt)
			all, sum = all+c.P, sum+told[c.Cell]
		}
	}
	if sum <= 0 {
		return top
	}
	out, trust := slices.Clone(top), min(all, 1)
	for i, c := range out {
		if p, ours := told[c.Cell]; ours {
			out[i].P = trust*p*all/sum + (1-trust)*c.P
		}
	}
	slices.SortFunc(out, byProbability)
	return out
}

func (l *loading) loadDiary() (string, error) {
	file := l.bundle.Manifest.Album.Diary
	if file == "" {
		return "", nil
	}
	path := l.bundle.Path(file)
	entries, err := l.model.cells.LoadDiary(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	l.model.diary = newDiary(entries, l.model.cells)
	return fmt.Sprintf("; a diary of %d cells", len(l.model.diary.at)), nil
}
