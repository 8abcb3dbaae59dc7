package score

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// draws is how many times a bootstrap draws: enough that the ends of a 95 % interval shake by less than a tenth of its width.
const draws = 1000

// seed makes the draws the same everywhere. It has no meaning.
const seed = 1602_05314

// Interval is the lower and the upper end of a 95 % interval.
type Interval [2]float64

// Intervals stand beside Figures.
type Intervals struct {
	Within1kmCI    Interval `json:"within_1km_ci"`
	Within25kmCI   Interval `json:"within_25km_ci"`
	Within200kmCI  Interval `json:"within_200km_ci"`
	Within750kmCI  Interval `json:"within_750km_ci"`
	Within2500kmCI Interval `json:"within_2500km_ci"`
	MedianKmCI     Interval `json:"median_km_ci"`
	MeanKmCI       Interval `json:"mean_km_ci"`
	GeoScoreCI     Interval `json:"geoscore_ci"`
}

// Sample is several answers to the same photos.
type Sample struct {
	// Units says which unit each photo belongs to. Equal numbers are one unit; which numbers they are has no meaning.
	Units []int
	// Metres is the errors, one list for each answer, every list as long as Units.
	Metres [][]float64
}

// Scores is one row for each answer, with intervals if there are at least two units.
func (s Sample) Scores() []Scores {
	rows := make([]Scores, len(s.Metres))
	drawn := s.draw()
	for i, metres := range s.Metres {
		rows[i] = Score(metres)
		if drawn == nil {
			continue
		}
		ends := func(of func(Figures) float64) Interval {
			return interval(drawn, func(answers []Figures) float64 { return of(answers[i]) })
		}
		rows[i].Intervals = &Intervals{
			ends(func(f Figures) float64 { return f.Within1km }), ends(func(f Figures) float64 { return f.Within25km }),
			ends(func(f Figures) float64 { return f.Within200km }), ends(func(f Figures) float64 { return f.Within750km }),
			ends(func(f Figures) float64 { return f.Within2500km }), ends(func(f Figures) float64 { return f.MedianKm }),
			ends(func(f Figures) float64 { return f.MeanKm }), ends(func(f Figures) float64 { return f.GeoScore }),
		}
	}
	return rows
}

// interval is the 2.5th and the 97.5th percentile of a figure over the draws.
func interval(drawn [][]Figures, of func([]Figures) float64) Interval {
	values := make([]float64, len(drawn))
	for i, answers := range drawn {
		values[i] = of(answers)
	}
	return *percentiles(values)
}

// percentiles is the 2.5th and the 97.5th of values, which it sorts; nil when there are none.
func percentiles(values []float64) *Interval {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	return &Interval{quantile(values, 0.025), quantile(values, 0.975)}
}

// quantile interpolates between the two sorted values next to share q.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// answer is one list of errors, made ready for drawing.
type answer struct {
	tallies []tally   // by unit
	sorted  []float64 // metres, ascending
	units   []int32   // the unit of each of them
}

func prepare(metres []float64, units []int32, count int) answer {
	a := answer{make([]tally, count), make([]float64, len(metres)), make([]int32, len(metres))}
	order := make([]int, len(metres))
	for i, m := range metres {
		a.tallies[units[i]].add(m)
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(metres[i], metres[j]), cmp.Compare(i, j)) })
	for k, i := range order {
		a.sorted[k], a.units[k] = metres[i], units[i]
	}
	return a
}

// draw returns the figures of every answer in every draw, or nil when there are fewer than two units. Every answer sees the
// same draws, so that differences between answers are paired.
func (s Sample) draw() [][]Figures {
	units, count := numbered(s.Units)
	if count < 2 {
		return nil
	}
	answers := make([]answer, len(s.Metres))
	for i, metres := range s.Metres {
		answers[i] = prepare(metres, units, count)
	}
	drawn := make([][]Figures, draws)
	eachDraw(count, func(d int, counts []int32) { drawn[d] = figuresOf(answers, counts) })
	return drawn
}

// eachDraw draws as many units as there are, with replacement, again and again, on all cores: take is told the number of
// the draw and how often each unit was drawn. Each draw has a generator of its own: what it draws does not depend on the
// number of cores.
func eachDraw(units int, take func(d int, counts []int32)) {
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			counts := make([]int32, units)
			for d := w; d < draws; d += workers {
				clear(counts)
				random := rand.New(rand.NewPCG(seed, uint64(d)))
				for range counts {
					counts[random.IntN(units)]++
				}
				take(d, counts)
			}
		})
	}
	wg.Wait()
}

// numbered gives the units numbers from 0 without gaps, in the order in which they appear.
func numbered(names []int) (units []int32, count int) {
	number := map[int]int32{}
	units = make([]int32, len(names))
	for i, name := range names {
		n, ok := number[name]
		if !ok {
			n = int32(len(number))
			number[name] = n
		}
		units[i] = n
	}
	return units, len(number)
}

// figuresOf is the figures of one draw.
func figuresOf(answers []answer, counts []int32) []Figures {
	figures := make([]Figures, len(answers))
	for i, a := range answers {
		t := tally{}
		for u, n := range counts {
			if n > 0 {
				t.times(&a.tallies[u], float64(n))
			}
		}
		figures[i] = t.figures(a.median(counts, int(t.n)))
	}
	return figures
}

// median is the median of total errors, each counted as often as its unit was drawn.
func (a answer) median(counts []int32, total int) float64 {
	lower, upper := (total-1)/2, total/2
	low, passed := 0.0, 0
	for k, u := range a.units {
		before := passed
		passed += int(counts[u])
		if before <= lower && lower < passed {
			low = a.sorted[k]
		}
		if upper < passed {
			return (low + a.sorted[k]) / 2
		}
	}
	return low
}
