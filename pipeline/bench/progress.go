package bench

import (
	"context"
	"fmt"
	"time"
)

// The rate is that between these shares of the photos. Before the first of them a worker takes photos in hand, commits nothing for
// a while and then much at once, which would all be counted as its speed: what it may have in hand (photos.in_flight of every
// partition) must be committed by then, so a run has 1300 photos at least. After the second it runs out of them.
const (
	firstMark = 0.4
	lastMark  = 0.85
)

// moment is how far a worker was at a time, and what it had taken of the machine.
type moment struct {
	at     time.Time
	photos int
	usage  usage
	around time.Duration // processor time that this command has had
}

// pace is the course of a run.
type pace []moment

// follow watches a group until it has committed count photos. marked is called once, when the measured part begins, and told how long it will last.
func (b *bench) follow(ctx context.Context, r *running, count int, marked func(left time.Duration)) (pace, error) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	changed := time.Now()
	p := pace{{changed, 0, r.usage(), ownTime()}}
	for {
		offsets, err := b.world.client.Committed(ctx, r.group, r.topic)
		if err != nil {
			return nil, err
		}
		done := 0
		for _, o := range offsets {
			done += int(max(o, 0))
		}
		now := time.Now()
		if done != p[len(p)-1].photos {
			changed = now
			p = append(p, moment{now, done, r.usage(), ownTime()})
		}
		if marked != nil && float64(done) >= firstMark*float64(count) {
			marked(p.left(count))
			marked = nil
		}
		if done >= count {
			return p, nil
		}
		if err := r.working(now.Sub(changed)); err != nil {
			return nil, fmt.Errorf("%d of %d photos are committed: %w", done, count, err)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// working fails when the processes have ended, or have got nowhere for too long.
func (r *running) working(silent time.Duration) error {
	const patience = 90 * time.Second
	if silent > patience {
		return fmt.Errorf("%w: %s has committed none for %v; it said:\n%s", ErrBench, r.name, patience, r.processes[0].said.String())
	}
	return r.alive()
}

// between is the first moment at or after each of two shares of the photos. Of a run so short that they are one, it is the whole.
func (p pace) between(from, to float64) (first, last moment) {
	count := float64(p[len(p)-1].photos)
	at := func(share float64) moment {
		for _, m := range p {
			if float64(m.photos) >= share*count {
				return m
			}
		}
		return p[len(p)-1]
	}
	if first, last = at(from), at(to); first.photos == last.photos {
		return p[0], p[len(p)-1]
	}
	return first, last
}

// left is how long the measured part will last if it goes on as in the second half of what was done until now.
func (p pace) left(count int) time.Duration {
	half, now := p.between(0.5, 1)
	each := float64(now.at.Sub(half.at)) / max(float64(now.photos-half.photos), 1)
	return time.Duration(each * max(lastMark*float64(count)-float64(now.photos), 0))
}

// rate is photos a second between two shares of the photos.
func (p pace) rate(from, to float64) float64 {
	began := p[0].at
	return p.slope(from, to, func(m moment) (x, y float64) { return m.at.Sub(began).Seconds(), float64(m.photos) })
}

// cost is processor time a photo, in milliseconds, between two shares of the photos.
func (p pace) cost(from, to float64, of func(moment) time.Duration) float64 {
	return p.slope(from, to, func(m moment) (x, y float64) { return float64(m.photos), of(m).Seconds() * 1e3 })
}

// ours is what a worker and its decoders have taken.
func ours(m moment) time.Duration { return m.usage.cpu() }

// growth is that of resident memory over the second half of the photos, in bytes a photo; by then a worker has fetched as far
// ahead as it may.
func (p pace) growth() float64 {
	return p.slope(0.5, 1, func(m moment) (x, y float64) { return float64(m.photos), float64(m.usage.rss) })
}

// slope is that of the line of least squares. Photos are committed by the dozen, and what was done for those that are not yet
// counts with those that are: the two ends alone would be off by some percent, now to one side and now to the other.
func (p pace) slope(from, to float64, point func(moment) (x, y float64)) float64 {
	first, last := p.between(from, to)
	x0, y0 := point(first)
	var n, sx, sy, sxx, sxy float64
	for _, m := range p {
		if m.photos < first.photos || m.photos > last.photos {
			continue
		}
		x, y := point(m)
		x, y = x-x0, y-y0
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d > 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}

func (p pace) peak() (rss int64) {
	for _, m := range p {
		rss = max(rss, m.usage.rss)
	}
	return rss
}
