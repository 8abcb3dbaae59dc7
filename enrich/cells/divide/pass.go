package divide

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"planetag/enrich/cells"
	"planetag/enrich/cells/gazetteer"
)

// cell is the spots of one cell on their way to be measured.
type cell struct {
	id    cells.ID
	spots []spot
	row   *Row
}

// cut merges the runs, cuts cells and has them measured on the other cores.
func (b *builder) cut(ctx context.Context) (Result, error) {
	names := b.Names
	if names == nil {
		var err error
		if names, err = gazetteer.Open(); err != nil {
			return Result{}, err
		}
	}
	pass := pass{builder: b, jobs: make(chan cell, 64)}
	measurers := make([]measurer, runtime.GOMAXPROCS(0))
	g, ctx := errgroup.WithContext(ctx)
	for i := range measurers {
		measurers[i] = measurer{keys: b.keys, names: names}
		g.Go(func() error {
			for job := range pass.jobs {
				*job.row = measurers[i].measure(job.id, job.spots)
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(pass.jobs)
		return pass.divide(ctx)
	})
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	var all oracle
	for i := range measurers {
		all.plus(&measurers[i].oracle)
	}
	result := Result{Counted: pass.counted, Dropped: pass.dropped, Oracle: all.result()}
	for _, row := range pass.rows {
		result.Rows = append(result.Rows, *row)
	}
	return result, nil
}

// pass is the one walk over all points in order.
type pass struct {
	*builder
	jobs    chan cell
	rows    []*Row // in order; each is filled by who measures it
	counted int64
	dropped Dropped
}

// divide merges the keys of all runs, puts equal ones together and cuts.
func (p *pass) divide(ctx context.Context) error {
	c := cutter{rules: p.Rules, keys: p.builder.keys}
	c.emit = func(id cells.ID, spots []spot) error { return p.keep(ctx, id, spots) }
	report := p.reporter(PhaseCut, p.tally.rows)
	var last spot
	merged := int64(0)
	err := p.runs.each(func(key uint64) error {
		if merged++; merged%(1<<20) == 0 {
			report(1 << 20)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		if key == last.key {
			last.photos++
			return nil
		}
		before := last
		last = spot{key, 1}
		if before.photos == 0 {
			return nil // there was none
		}
		return c.push(before)
	})
	if err != nil {
		return err
	}
	if err := c.push(last); err != nil {
		return err
	}
	report(merged % (1 << 20))
	return c.finish()
}

// keep passes a cell on to be measured, or counts it as dropped.
func (p *pass) keep(ctx context.Context, id cells.ID, spots []spot) error {
	photos, weight := int64(0), int64(0)
	for _, s := range spots {
		photos += s.photos
		weight += p.builder.keys.weight(s)
	}
	p.counted += weight
	if weight < p.Rules.MinPhotos {
		p.dropped.Cells++
		p.dropped.Photos += photos
		return nil
	}
	p.rows = append(p.rows, new(Row))
	select {
	case p.jobs <- cell{id, spots, p.rows[len(p.rows)-1]}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
