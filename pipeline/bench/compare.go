package bench

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"planetag/enrich/bundle"
)

// The contestants of a comparison.
const (
	peerFP32    = "peer fp32"
	peerNull    = "peer null"
	oursFP32    = "planetag fp32"
	oursInt8    = "planetag int8"
	oursNull    = "planetag null"
	atLeastOnce = "planetag fp32, at least once"
)

// Contestant is one of those that take turns, and what each of its rounds gave.
type Contestant struct {
	Name            string    `json:"name"`
	PhotosPerSecond []float64 `json:"photos_per_second"`
	CPU             []float64 `json:"cpu_ms_per_photo"` // of its worker processes, user and system
	Memory          int64     `json:"peak_bytes"`
	// NetworkMS is processor time of a photo in the network alone, on every core at once; of ours only.
	NetworkMS float64 `json:"network_cpu_ms,omitempty"`
}

// Ratio is one contestant's photos/s over another's.
type Ratio struct {
	Of     string    `json:"of"`
	Over   string    `json:"over"`
	Median float64   `json:"median"` // of the rounds' ratios
	Least  float64   `json:"least"`
	Most   float64   `json:"most"`
	Rounds []float64 `json:"rounds"` // of the two runs of each round
	// CPU is the same of processor time a photo.
	CPU float64 `json:"cpu_median"`
}

// field is a contestant with what starts it anew for each round.
type field struct {
	name      string
	enter     func() entrant
	bundle    string // of ours
	precision string
}

// nullRuns is how many runs' worth of photos a round without a network gets: those of one would be done in two seconds.
const nullRuns = 3

func (b *bench) photosOf(name string) int {
	if name == peerNull || name == oursNull {
		return nullRuns * b.Count
	}
	return b.Count
}

// compare runs every contestant once a round.
func (b *bench) compare(ctx context.Context, entrants []field, r *Result) error {
	if err := b.world.publish(ctx, inputTopic, b.Count, nullRuns*b.Count); err != nil {
		return err
	}
	for _, f := range entrants {
		r.Comparison = append(r.Comparison, Contestant{Name: f.name})
	}
	for round := range b.Rounds {
		for i := range entrants {
			// Every other round goes the other way, so that a machine that grows slower is unfair to nobody.
			at := i
			if round%2 == 1 {
				at = len(entrants) - 1 - i
			}
			b.Progress(fmt.Sprintf("round %d of %d: %s", round+1, b.Rounds, entrants[at].name))
			if err := b.compete(ctx, entrants[at], &r.Comparison[at]); err != nil {
				return fmt.Errorf("%s: %w", entrants[at].name, err)
			}
		}
	}
	for i, f := range entrants {
		if f.bundle == "" {
			continue
		}
		b.Progress("network alone: " + f.name)
		var err error
		if r.Comparison[i].NetworkMS, err = b.network(ctx, f.bundle, f.precision); err != nil {
			return err
		}
	}
	r.Ratios = ratios(r.Comparison)
	return nil
}

// ratios are those of the contestants that are there.
func ratios(all []Contestant) map[string]Ratio {
	found := map[string]Ratio{}
	for _, ratio := range []struct{ key, of, over string }{
		{"fp32", oursFP32, peerFP32},
		{"int8", oursInt8, peerFP32},
		{"null", oursNull, peerNull},
		{"exactly_once", oursFP32, atLeastOnce},
	} {
		if ours, theirs := contestant(all, ratio.of), contestant(all, ratio.over); ours != nil && theirs != nil {
			found[ratio.key] = ratioOf(*ours, *theirs)
		}
	}
	return found
}

// contestants are all that can be compared here.
func (b *bench) contestants(ctx context.Context) ([]field, error) {
	real, err := b.realBundle()
	if err != nil {
		return nil, err
	}
	null, err := nullBundle(real, filepath.Join(b.scratch, "compare-null"))
	if err != nil {
		return nil, err
	}
	p, err := b.findPeer(ctx)
	if err != nil {
		return nil, err
	}
	theirs := map[string]string{}
	for name, dir := range map[string]string{peerFP32: real, peerNull: null} {
		if theirs[name], err = b.peerModel(dir, name); err != nil {
			return nil, err
		}
	}
	const once, least, float, auto = "exactly_once", "at_least_once", "float", "auto"
	list := []field{
		{name: peerFP32, enter: func() entrant { return b.peerEntrant(p, theirs[peerFP32]) }},
		b.ours(oursFP32, real, float, once),
		b.ours(atLeastOnce, real, float, least),
		{name: peerNull, enter: func() entrant { return b.peerEntrant(p, theirs[peerNull]) }},
		b.ours(oursNull, null, auto, once),
	}
	with := real
	if b.Int8 != "" {
		with = absolute(b.Int8)
	}
	read, err := bundle.Read(with)
	switch {
	case err != nil:
		return nil, err
	case read.Manifest.CNN.Int8 != "": // of its two networks the one that is asked for, whatever auto would take
		list = slices.Insert(list, 2, b.ours(oursInt8, with, "int8", once))
	case b.Int8 != "":
		list = slices.Insert(list, 2, b.ours(oursInt8, with, auto, once))
	}
	return list, nil
}

// ours is our own worker. A peer knows no albums, so ours has none to do either.
func (b *bench) ours(name, dir, precision, delivery string) field {
	return field{name, func() entrant {
		return b.worker(dir, crew{workers: 1}, map[string]string{"ALBUMS_MODE": "none", "BUNDLE_PRECISION": precision, "KAFKA_DELIVERY": delivery})
	}, dir, precision}
}

// compete is one run of one contestant.
func (b *bench) compete(ctx context.Context, f field, c *Contestant) error {
	r, err := f.enter().launch()
	if err != nil {
		return err
	}
	defer r.stop()
	p, err := b.follow(ctx, r, b.photosOf(f.name), nil)
	if err != nil {
		return err
	}
	c.PhotosPerSecond, c.CPU = append(c.PhotosPerSecond, p.rate(firstMark, lastMark)), append(c.CPU, p.cost(firstMark, lastMark, ours))
	c.Memory = max(c.Memory, p.peak())
	return nil
}

func contestant(all []Contestant, name string) *Contestant {
	if i := slices.IndexFunc(all, func(c Contestant) bool { return c.Name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

func ratioOf(ours, theirs Contestant) Ratio {
	r := Ratio{Of: ours.Name, Over: theirs.Name}
	for i := range ours.PhotosPerSecond {
		r.Rounds = append(r.Rounds, ours.PhotosPerSecond[i]/theirs.PhotosPerSecond[i])
	}
	r.Median, r.Least, r.Most = median(r.Rounds), slices.Min(r.Rounds), slices.Max(r.Rounds)
	r.CPU = median(ours.CPU) / median(theirs.CPU)
	return r
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	switch n := len(sorted); {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return sorted[n/2]
	default:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
}
