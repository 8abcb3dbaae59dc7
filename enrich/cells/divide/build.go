package divide

import (
	"context"
	"errors"
	"fmt"
	"time"

	"planetag/enrich/cells/gazetteer"
)

// Options are what Build needs to know.
type Options struct {
	Rules         Rules
	Photographers bool                 // the source names photographers
	Memory        int64                // bytes of points to hold, the rest goes to disk
	TempDir       string               // where on disk, "" for the system's own
	Names         *gazetteer.Gazetteer // nil: Build opens one
	MaxBad        float64              // share of rows that may hold no position, 0 to 1
	// Progress is told how much of a phase is done, often and from one
	// goroutine at a time. Total is 0 where nobody knows.
	Progress func(phase string, done, total int64)
}

// Phases of a build, in order.
const (
	PhaseRead = "read" // read, turn into keys, sort
	PhaseCut  = "cut"  // merge, cut, measure, name
)

// Result is the cells and where their photos went.
type Result struct {
	Rows    []Row
	Photos  int64 // read
	Counted int64 // of them, as the limits count
	Bad     Bad
	Dropped Dropped
	Oracle  Oracle
	Seconds map[string]float64 // by phase
}

// Dropped is what lies in cells with too few photos.
type Dropped struct {
	Cells  int64   `json:"cells"`
	Photos int64   `json:"photos"`
	Share  float64 `json:"share"` // of all photos
}

// Check refuses rules that contradict each other; the message names the flag.
func (o Options) Check() error {
	finest := 30
	if o.Photographers {
		finest = spotLevel
	}
	r := o.Rules
	switch {
	case r.MaxPhotos < 1:
		return fmt.Errorf("--max-photos is %d, a cell must be allowed at least one photo", r.MaxPhotos)
	case r.MinPhotos < 1 || r.MinPhotos > r.MaxPhotos:
		return fmt.Errorf("--min-photos is %d, it must be within 1 and --max-photos (%d)", r.MinPhotos, r.MaxPhotos)
	case r.MinLevel < 0 || r.MaxLevel > finest || r.MinLevel > r.MaxLevel:
		return fmt.Errorf("levels %d to %d, they must be within 0 and %d, the coarser first", r.MinLevel, r.MaxLevel, finest)
	case !(o.MaxBad >= 0 && o.MaxBad <= 1):
		return fmt.Errorf("--max-bad is %v, it must be a share within 0 and 1", o.MaxBad)
	}
	return nil
}

// Build reads all coordinates of a source and divides the earth by them.
// Errors: ErrInput, ErrRows, the context's, those of the disk.
func Build(ctx context.Context, source Source, o Options) (result Result, err error) {
	b := &builder{Options: o, keys: keys{o.Photographers}, runs: runs{most: o.Memory, dir: o.TempDir}}
	defer func() { err = errors.Join(err, b.runs.close()) }()
	started := time.Now()
	if err := b.read(ctx, source); err != nil {
		return Result{}, err
	}
	if err := b.tally.check(o.MaxBad); err != nil {
		return Result{}, err
	}
	read := time.Now()
	result, err = b.cut(ctx)
	if err != nil {
		return Result{}, err
	}
	result.Photos, result.Bad = b.tally.rows, b.tally.bad
	result.Dropped.Share = float64(result.Dropped.Photos) / float64(result.Photos)
	result.Seconds = map[string]float64{PhaseRead: read.Sub(started).Seconds(), PhaseCut: time.Since(read).Seconds()}
	if len(result.Rows) == 0 {
		return Result{}, fmt.Errorf("%w: no cell has --min-photos (%d) of the %d photos", ErrInput, o.Rules.MinPhotos, result.Photos)
	}
	return result, nil
}

// builder is one build.
type builder struct {
	Options
	keys  keys
	tally tally
	runs  runs
}
