package enrich

import (
	"context"
	"fmt"
	"math"
	"time"
)

// This file is the mode hmm: a hidden Markov model over the places an album may
// be at, with the photos as what is seen and bundle.Travel as what happens in
// between (Kalogerakis et al., "Image sequence geolocation with human travel
// priors", ICCV 2009). It is solved exactly by forward–backward, but for two
// things: a stretch of photos knows only the classes its own photos hold most
// probable, the rest of the earth being one place without distances; and
// times between photos are rounded to a factor of two.

const (
	stretchPhotos = 128
	stretchSpots  = 160
)

// stretch is a run [lo, hi) of an album's photos, with the spots it knows.
type stretch struct {
	lo, hi int
	spots  []spot
	seen   [][]float64       // photo → evidence for each spot and the rest
	moves  map[int][]float64 // rounded time → where from each spot to each, the rest last
}

// chain is an album on its way through the model.
type chain struct {
	*earth
	members   []Member
	stray     float64
	towns     towns
	stretches []*stretch
}

// around is where the other photos of the album say that each photo was taken,
// over the spots of its stretch and, last, the rest of the earth.
func (c *chain) around(ctx context.Context) ([][]float64, error) {
	forward := make([][]float64, len(c.members))
	for k, s := range c.stretches {
		for i := s.lo; i < s.hi; i++ {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("read album: %w", err)
			}
			switch {
			case i == 0:
				forward[0] = s.prior()
			case i == s.lo:
				last := c.stretches[k-1]
				forward[i] = c.cross(last, s, last.weighed(i-1, forward[i-1]), c.gap(i))
			default:
				forward[i] = forwards(c.move(s, i), s.weighed(i-1, forward[i-1]))
			}
		}
	}
	return forward, c.back(ctx, forward)
}

// back walks from the last photo to the first and multiplies into forward what
// the later photos say.
func (c *chain) back(ctx context.Context, forward [][]float64) error {
	var later []float64 // of the photo after, with what it looks like
	for k := len(c.stretches) - 1; k >= 0; k-- {
		s := c.stretches[k]
		for i := s.hi - 1; i >= s.lo; i-- {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("read album: %w", err)
			}
			backward := ones(len(s.spots) + 1)
			switch {
			case i == len(c.members)-1:
			case i == s.hi-1:
				next := c.stretches[k+1]
				backward = backwards(c.crossing(s, next, c.gap(i+1)), len(s.spots)+1, later)
			default:
				backward = backwards(c.move(s, i+1), len(s.spots)+1, later)
			}
			scaleToOne(backward)
			later = s.weighed(i, backward)
			for j := range backward {
				forward[i][j] *= backward[j]
			}
			scaleToOne(forward[i])
		}
	}
	return nil
}

// gap is the time between photo i and the one before.
func (c *chain) gap(i int) time.Duration { return gapOf(c.members[i-1], c.members[i]) }

// gapOf is the time between two photos, whichever came first.
func gapOf(a, b Member) time.Duration {
	if a.TakenAt.IsZero() || b.TakenAt.IsZero() {
		return unknownGap
	}
	return max(b.TakenAt.Sub(a.TakenAt), a.TakenAt.Sub(b.TakenAt), 0)
}

// move is the matrix of a stretch for the time before photo i.
func (c *chain) move(s *stretch, i int) []float64 {
	octave := int(math.Round(math.Log2(max(c.gap(i).Minutes(), 1))))
	m, ok := s.moves[octave]
	if !ok {
		m = c.crossing(s, s, time.Duration(math.Exp2(float64(octave))*float64(time.Minute)))
		s.moves[octave] = m
	}
	return m
}

// crossing is the matrix from the spots of one stretch to those of another, row
// after row. Whoever is somewhere else on the earth may be anywhere next.
func (c *chain) crossing(from, to *stretch, gap time.Duration) []float64 {
	width := len(to.spots) + 1
	m := make([]float64, (len(from.spots)+1)*width)
	for i, f := range from.spots {
		row := m[i*width : (i+1)*width]
		row[width-1] = c.departure(f, gap).fill(to.spots, row[:width-1])
	}
	copy(m[len(from.spots)*width:], to.prior())
	return m
}

// cross is one step from a stretch into the next.
func (c *chain) cross(from, to *stretch, weighed []float64, gap time.Duration) []float64 {
	return forwards(c.crossing(from, to, gap), weighed)
}

// prior is the prior of the spots and of the rest.
func (s *stretch) prior() []float64 {
	p, rest := make([]float64, 0, len(s.spots)+1), 1.0
	for _, spot := range s.spots {
		p = append(p, spot.share)
		if spot.id >= 0 {
			rest -= spot.share
		}
	}
	return append(p, max(rest, 0))
}

// weighed is p times what photo i looks like.
func (s *stretch) weighed(i int, p []float64) []float64 {
	out := make([]float64, len(p))
	for j, seen := range s.seen[i-s.lo] {
		out[j] = p[j] * seen
	}
	return out
}

// forwards is where p leads: the row p times the matrix.
func forwards(matrix, p []float64) []float64 {
	width := len(matrix) / len(p)
	out := make([]float64, width)
	for i, from := range p {
		if from == 0 {
			continue
		}
		for j, to := range matrix[i*width : (i+1)*width] {
			out[j] += from * to
		}
	}
	scaleToOne(out)
	return out
}

// backwards is what later says of where one came from: the matrix times the column.
func backwards(matrix []float64, rows int, later []float64) []float64 {
	width := len(later)
	out := make([]float64, rows)
	for i := range out {
		for j, to := range matrix[i*width : (i+1)*width] {
			out[i] += to * later[j]
		}
	}
	return out
}

func ones(n int) []float64 {
	p := make([]float64, n)
	for i := range p {
		p[i] = 1
	}
	return p
}

// scaleToOne has p add up to 1. What vanished everywhere says nothing.
func scaleToOne(p []float64) {
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	for i := range p {
		if sum > 0 && !math.IsInf(sum, 0) {
			p[i] /= sum
		} else {
			p[i] = 1 / float64(len(p))
		}
	}
}
