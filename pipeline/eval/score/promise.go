package score

// promise counts the answers of one unit, and those that kept which promise.
type promise struct{ photos, answered, within25, within200, inP50, inP90 float64 }

// times adds other, count times over.
func (p *promise) times(other promise, count float64) {
	p.photos += count * other.photos
	p.answered += count * other.answered
	p.within25 += count * other.within25
	p.within200 += count * other.within200
	p.inP50 += count * other.inP50
	p.inP90 += count * other.inP90
}

// promises are those of all units.
type promises []promise

func newPromises(judged []Judged, names []int) promises {
	units, count := numbered(names)
	p := make(promises, count)
	for i, j := range judged {
		u := &p[units[i]]
		u.photos++
		if j.Abstained {
			continue
		}
		u.answered++
		for _, kept := range []struct {
			count *float64
			limit float64
		}{{&u.within25, 25e3}, {&u.within200, 200e3}, {&u.inP50, j.RadiusP50}, {&u.inP90, j.RadiusP90}} {
			if j.Metres <= kept.limit {
				*kept.count++
			}
		}
	}
	return p
}

// draw draws whole units; nil when there are fewer than two.
func (p promises) draw() []promise {
	if len(p) < 2 {
		return nil
	}
	drawn := make([]promise, draws)
	eachDraw(len(p), func(d int, counts []int32) {
		for u, n := range counts {
			if n > 0 {
				drawn[d].times(p[u], float64(n))
			}
		}
	})
	return drawn
}

// ratio is the interval of a share. Draws in which nothing was answered say nothing about it; if all are such, there is none.
func ratio(drawn []promise, of func(promise) (part, whole float64)) *Interval {
	var some []float64
	for _, p := range drawn {
		if part, whole := of(p); whole > 0 {
			some = append(some, part/whole)
		}
	}
	return percentiles(some)
}
