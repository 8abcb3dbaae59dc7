package divide

import (
	"context"
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// read works all units of a source on all cores, and leaves sorted runs.
func (b *builder) read(ctx context.Context, source Source) error {
	units := make(chan Unit)
	report := b.reporter(PhaseRead, source.Size())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(units)
		return source.Units(ctx, func(u Unit) error {
			select {
			case units <- u:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error { return b.work(ctx, units, report) })
	}
	return g.Wait()
}

// work turns units into keys, and keys into sorted runs.
func (b *builder) work(ctx context.Context, units <-chan Unit, report func(int64)) error {
	run := make([]uint64, 0, runLength)
	for u := range units {
		rows, bad := int64(0), []BadRow(nil)
		var failed error
		err := u.Rows(func(lat, lon float64, who string) {
			key, ok := b.keys.of(lat, lon, who)
			if !ok {
				bad = append(bad, wrongPosition(lat, lon))
				return
			}
			rows++
			if run = append(run, key); len(run) == runLength {
				failed = errors.Join(failed, b.runs.add(run))
				run = make([]uint64, 0, runLength)
			}
		}, func(row BadRow) { bad = append(bad, row) })
		b.tally.add(rows, bad)
		report(u.Size())
		if err := errors.Join(err, failed, context.Cause(ctx)); err != nil {
			return err
		}
	}
	return b.runs.add(run)
}
