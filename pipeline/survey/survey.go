package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"planetag/enrich/decode"
	"planetag/pipeline"
)

// Options says what is surveyed.
type Options struct {
	Archive string // s3://bucket/prefix, or a folder
	Config  pipeline.Config
	Out     string   // CSV to write; its journal is beside it until the survey is complete
	OptOut  []string // prefixes of keys that are never read
	Hashes  bool     // read every photo whole, decode it, and write down its perceptual hash
	DryRun  bool     // only list, and say what reading would take
	// Progress is told how many photos are read and how many are listed so far,
	// from one goroutine at a time.
	Progress func(read, listed int64)
	Now      time.Time // photos taken later have a wrong clock
}

// pageObjects is how many objects make a page of the journal.
const pageObjects = 1000

// Run surveys an archive and writes its manifest. Errors: ErrArchive, ErrJournal,
// the sentinels of pipeline's store, those of the disk, ctx's. After any of them,
// and after a kill, the same Options go on where it was.
func Run(ctx context.Context, o Options) (Report, error) {
	from, err := archiveOf(o.Archive, o.Config)
	if err != nil {
		return Report{}, err
	}
	if o.DryRun {
		return dryRun(ctx, from, o)
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	j, todo, err := openJournal(o.Out+".journal", heading{o.Archive, o.OptOut, o.Hashes})
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = j.file.Close() }() // every line was written, and finish has looked
	s := &survey{Options: o, from: from, journal: j}
	if err := s.readAll(ctx, todo); err != nil {
		return Report{}, err
	}
	report, err := s.finish()
	if err != nil {
		return Report{}, err
	}
	if err := os.Remove(o.Out + ".journal"); err != nil {
		return Report{}, fmt.Errorf("remove journal: %w", err)
	}
	return report, nil
}

// survey is one run.
type survey struct {
	Options
	from     archive
	journal  *journal
	progress counter
	hasher   *hasher // nil: no hashes
}

// readAll lists and reads whatever is not in the journal yet.
func (s *survey) readAll(ctx context.Context, todo left) (err error) {
	s.progress.report = s.Progress
	if s.Hashes {
		if s.hasher, err = newHasher(s.Config); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.hasher.close()) }()
	}
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan pipeline.Listed)
	g.Go(func() error {
		defer close(queue)
		return s.feed(ctx, todo, queue)
	})
	for range max(s.Config.S3.MaxParallel, 1) { // the store itself decides how many get through
		g.Go(func() error {
			for o := range queue {
				if err := s.read(ctx, o); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// feed hands out what was listed before, and then lists on. A page is in the
// journal before its first photo is read.
func (s *survey) feed(ctx context.Context, todo left, queue chan<- pipeline.Listed) error {
	hand := func(objects []pipeline.Listed) error {
		s.progress.add(0, int64(len(objects)))
		for _, o := range objects {
			select {
			case queue <- o:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	}
	if err := hand(todo.pages); err != nil || todo.all {
		return err
	}
	p := page{optOut: s.OptOut}
	flush := func() error {
		e := p.entry()
		if err := s.journal.add(e); err != nil {
			return err
		}
		return hand(e.Page)
	}
	err := s.from.list(ctx, todo.after, func(o pipeline.Listed) error {
		if p.add(o); p.objects < pageObjects {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	if p.objects > 0 {
		if err := flush(); err != nil {
			return err
		}
	}
	return s.journal.add(entry{Listed: true})
}

// page collects the objects of one line of the journal.
type page struct {
	optOut  []string
	objects int
	photos  []pipeline.Listed
	skipped map[string]skippedCount
	after   string
}

func (p *page) add(o pipeline.Listed) {
	p.objects++
	p.after = o.Key
	if kind := kind(o, p.optOut); kind != "" {
		if p.skipped == nil {
			p.skipped = map[string]skippedCount{}
		}
		count := p.skipped[kind]
		p.skipped[kind] = skippedCount{count.Objects + 1, count.Bytes + o.Size}
		return
	}
	p.photos = append(p.photos, o)
}

// entry is the page as a line, and leaves an empty page.
func (p *page) entry() entry {
	e := entry{Page: p.photos, Skipped: p.skipped, After: p.after}
	*p = page{optOut: p.optOut}
	return e
}

// read reads one photo and writes down what it found. A photo that cannot be read
// is a finding; a store that cannot is an error.
func (s *survey) read(ctx context.Context, o pipeline.Listed) error {
	p := Photo{Key: o.Key, Size: o.Size, ETag: o.ETag, Modified: o.Modified.UTC()}
	exif, err := s.exif(ctx, o, &p)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !isPhotos(err):
		return fmt.Errorf("read %s: %w", o.Key, err)
	case err != nil:
		p.Problem = err.Error()
	default:
		p.TakenAt, p.Camera = exif.TakenAt, exif.Camera
		if at := exif.Position; at != nil {
			p.Lat, p.Lon = &at.Lat, &at.Lon
		}
	}
	s.progress.add(1, 0)
	return s.journal.add(entry{Photo: &p})
}

func (s *survey) exif(ctx context.Context, o pipeline.Listed, p *Photo) (exif decode.Exif, err error) {
	in, done, err := s.from.open(ctx, o)
	if err != nil {
		return decode.Exif{}, err
	}
	defer func() { err = errors.Join(err, done()) }()
	counted := &countedReads{from: in}
	if s.hasher == nil {
		exif, err = decode.ReadExifAt(counted, o.Size)
	} else {
		exif, p.PHash, err = s.hasher.read(ctx, counted, o.Size)
	}
	p.Requests, p.Bytes = counted.reads, counted.bytes
	return exif, err
}

// isPhotos says whether an error is about this photo, and not about the archive.
func isPhotos(err error) bool {
	for _, target := range []error{
		io.EOF, decode.ErrEmpty, decode.ErrFormat, decode.ErrCorrupt, decode.ErrLimits, decode.ErrCrashed, decode.ErrTooSlow,
		pipeline.ErrObjectGone, pipeline.ErrObjectChanged, pipeline.ErrObjectDenied, pipeline.ErrReference, os.ErrNotExist, os.ErrPermission,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
