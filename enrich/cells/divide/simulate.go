package divide

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// simulatedUnit is how many points one worker draws at a time.
const simulatedUnit = 1 << 18

// Simulation draws points around real ones, so that claims about many photos
// can be repeated by who has only a list of some.
type Simulation struct {
	Around   Source  `json:"-"`
	Points   int64   `json:"points"`
	JitterKm float64 `json:"jitter_km"` // standard deviation to the north and to the east
	Seed     uint64  `json:"seed"`
}

// simulated is a Simulation with its centres read.
type simulated struct {
	Simulation
	centres [][2]float64
}

// Read reads the centres. Rows that are no position are an error here: whoever
// simulates has a list that should be clean.
func (s Simulation) Read(ctx context.Context) (Source, error) {
	drawn := &simulated{Simulation: s}
	err := s.Around.Units(ctx, func(u Unit) error {
		var wrong error
		err := u.Rows(func(lat, lon float64, _ string) {
			drawn.centres = append(drawn.centres, [2]float64{lat, lon})
		}, func(b BadRow) {
			if wrong == nil {
				wrong = fmt.Errorf("%w: %s", ErrRows, b)
			}
		})
		if err != nil {
			return err
		}
		return wrong
	})
	if err != nil {
		return nil, err
	}
	if len(drawn.centres) == 0 {
		return nil, fmt.Errorf("%w: there is no coordinate to draw around", ErrInput)
	}
	return drawn, nil
}

func (s *simulated) Size() int64 { return s.Points }

func (s *simulated) Units(ctx context.Context, each func(Unit) error) error {
	for from := int64(0); from < s.Points; from += simulatedUnit {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := each(&draw{s, from, min(from+simulatedUnit, s.Points)}); err != nil {
			return err
		}
	}
	return nil
}

// draw is the points [from, to) of a simulation.
type draw struct {
	*simulated
	from, to int64
}

func (d *draw) Size() int64 { return d.to - d.from }

// Rows takes the centres in turn, so that each has its share of points, and
// moves them. Every unit has its own random numbers: which worker draws it, and
// when, does not matter.
func (d *draw) Rows(add func(lat, lon float64, photographer string), _ func(BadRow)) error {
	const kmPerDegree = 111.195
	random := rand.New(rand.NewPCG(d.Seed, uint64(d.from)))
	sigma := d.JitterKm / kmPerDegree
	for i := d.from; i < d.to; i++ {
		at := d.centres[i%int64(len(d.centres))]
		lat := min(max(at[0]+sigma*random.NormFloat64(), -90), 90)
		// Close to a pole a kilometre is any number of degrees.
		lon := at[1] + sigma*random.NormFloat64()/max(math.Cos(lat*math.Pi/180), 1e-3)
		if lon < -180 || lon > 180 {
			lon -= 360 * math.Round(lon/360)
		}
		add(lat, lon, "")
	}
	return nil
}
