package backfill

import (
	"context"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

const (
	// batch is about how many references one transaction holds: enough that its cost is spread, few enough that it is
	// over long before its time-out.
	batch = 1000
	// restless is how long a checkpoint may lag behind when nothing but skipped objects is listed.
	restless = 2 * time.Second
)

// transactions is *consumer.Writer.
type transactions interface {
	Write(ctx context.Context, records []consumer.Record) error
}

// scribe folds pages into the checkpoint, and commits both together.
type scribe struct {
	cp       *checkpoint
	writer   transactions
	topics   pipeline.TopicsConfig
	left     int // ranges that are not listed
	rate     float64
	begun    time.Time
	progress func(Progress)

	records []consumer.Record // folded and not written
	wrote   time.Time
	sent    int64 // references since begun
	unsaved int64 // references in records
}

// run writes until all ranges are done. With a run that is begun and has no range left, it only says so.
func (s *scribe) run(ctx context.Context, pages <-chan page) error {
	for s.left > 0 {
		select {
		case p := <-pages:
			s.fold(p)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		s.gather(pages)
		if len(s.records) == 0 && s.left > 0 && time.Since(s.wrote) < restless {
			continue
		}
		if err := s.commit(ctx); err != nil {
			return err
		}
	}
	if s.cp.Finished.IsZero() { // it was killed between the last page and here
		return s.commit(ctx)
	}
	return nil
}

// gather takes the pages that are there, up to a batch: a slow store is not waited for, and a fast one gives enough.
func (s *scribe) gather(pages <-chan page) {
	for s.left > 0 && len(s.records) < batch && s.rate == 0 {
		select {
		case p := <-pages:
			s.fold(p)
		default:
			return
		}
	}
}

func (s *scribe) fold(p page) {
	s.cp.Shards[p.shard] = p.state
	s.cp.LevelPhotos += p.level
	s.cp.Counts.add(p.counts)
	s.records = append(s.records, p.records...)
	s.unsaved += p.counts.References
	if p.state.Done {
		s.left--
	}
}

// commit writes the references and the checkpoint in one transaction.
func (s *scribe) commit(ctx context.Context) error {
	if err := s.slow(ctx); err != nil {
		return err
	}
	if s.left == 0 {
		if err := s.finish(); err != nil {
			return err
		}
	}
	checkpoint, err := s.cp.record(s.topics.State)
	if err != nil {
		return err
	}
	if err := s.writer.Write(ctx, append(s.records, checkpoint)); err != nil {
		return err
	}
	s.records, s.wrote, s.unsaved = s.records[:0], time.Now(), 0
	s.progress(Progress{Phase: "list", Done: s.cp.Counts.Objects})
	return nil
}

// finish ends the run: the album of the level between the ranges has ended only now.
func (s *scribe) finish() error {
	s.cp.Finished = time.Now().UTC().Truncate(time.Second)
	level := openAlbum{s.cp.Level, s.cp.LevelPhotos}
	if level.Photos == 0 || pipeline.AlbumOf(level.Dir) == "" {
		return nil
	}
	rec, err := albumComplete(s.topics.Backfill, level)
	s.records = append(s.records, rec)
	s.cp.Counts.Albums++
	return err
}

// slow keeps to the rate.
func (s *scribe) slow(ctx context.Context) error {
	if s.rate <= 0 {
		return nil
	}
	s.sent += s.unsaved
	due := s.begun.Add(time.Duration(float64(s.sent) / s.rate * float64(time.Second)))
	if !pause(ctx, time.Until(due)) {
		return context.Cause(ctx)
	}
	return nil
}
