package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrStuck says that a piece of work did not return: the membership of its stage was ended so that others go on, and this
// process could not get free of it, or got stuck again and again without committing anything in between. Nothing is lost
// by it; the process must end, because only that ends what runs in C.
var ErrStuck = errors.New("worker is stuck")

// work is a kind of work that a Watchdog has a limit for. It is the label of its metric.
type work string

const (
	workLoad        work = "load"        // the bundle, golden photos included
	workModel       work = "model"       // one call of the CNN or of the album model
	workDecode      work = "decode"      // one photo
	workFetch       work = "fetch"       // one attempt: each attempt beats
	workTransaction work = "transaction" // one read from or one commit to Kafka
	workAlbum       work = "album"       // one transaction's albums: each model call beats
	workStage       work = "stage"       // a partition in hand, in a stage where nothing at all moves
)

// Watchdog knows what the worker is in the middle of, and ends the membership of a stage in which something stays longer
// than its limit: kafka-go sends heartbeats for as long as the process lives, so a worker that is stuck would keep its
// partitions for ever.
//
// It first cancels the stage, then the piece itself. A stage that returns by that joins its group again; one that does
// not within the grace makes Run fail with ErrStuck. Waiting for a store or a broker that is away is not being stuck: it
// is made of attempts, each of which ends or beats. A nil Watchdog watches nothing.
type Watchdog struct {
	limits  map[work]time.Duration
	grace   time.Duration
	metrics *Metrics
	log     *slog.Logger

	mu     sync.Mutex
	pieces map[*piece]struct{}
	stages map[string]*watchedStage
}

// piece is one piece of work in progress. Its methods may be called on nil.
type piece struct {
	dog    *Watchdog
	what   work
	place  place
	moved  time.Time
	bitten bool
	cancel context.CancelCauseFunc
}

// watchedStage is a stage that runs.
type watchedStage struct {
	cancel  context.CancelCauseFunc
	running bool
	moved   time.Time // when anything in it began, beat or ended
	ended   time.Time // by the watchdog; zero if not
	why     error
	strikes int // ends since the last commit
}

// NewWatchdog returns a watchdog with the limits of c; grace is how long an ended stage may take to return.
func NewWatchdog(c WatchdogConfig, grace time.Duration, metrics *Metrics, log *slog.Logger) *Watchdog {
	return &Watchdog{
		limits: map[work]time.Duration{
			workLoad: time.Duration(c.Load), workModel: time.Duration(c.Model), workDecode: time.Duration(c.Decode),
			workFetch: time.Duration(c.Fetch), workTransaction: time.Duration(c.Transaction), workAlbum: time.Duration(c.Album),
			workStage: time.Duration(c.Stage),
		},
		grace: grace, metrics: metrics, log: log, pieces: make(map[*piece]struct{}), stages: make(map[string]*watchedStage),
	}
}

// Run watches until ctx ends, and then returns nil; or it returns ErrStuck, once the process cannot get free by itself.
func (d *Watchdog) Run(ctx context.Context) error {
	every := min(max(d.grace/4, time.Millisecond), time.Second)
	for _, limit := range d.limits {
		every = min(every, max(limit/4, time.Millisecond))
	}
	last := time.Now()
	for sleep(ctx, every) == nil {
		now := time.Now()
		if slept := now.Sub(last) - every; slept > max(every, time.Second) {
			d.forgive(slept) // the process itself stood still: SIGSTOP, a suspended machine
		}
		last = now
		for _, p := range d.overdue(now) {
			d.bite(p, now)
		}
		if err := d.hopeless(now); err != nil {
			d.dump(slog.LevelError)
			return err
		}
	}
	return nil
}

// forgive takes a time out of everybody's account.
func (d *Watchdog) forgive(gap time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p := range d.pieces {
		p.moved = p.moved.Add(gap)
	}
	for _, s := range d.stages {
		s.moved = s.moved.Add(gap)
		if !s.ended.IsZero() {
			s.ended = s.ended.Add(gap)
		}
	}
}

// overdue lists the pieces that passed their limit since it was last asked.
func (d *Watchdog) overdue(now time.Time) []*piece {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []*piece
	for p := range d.pieces {
		if !p.bitten && now.Sub(p.since()) >= d.limits[p.what] {
			p.bitten = true
			list = append(list, p)
		}
	}
	return list
}

// since is when a piece last moved; d.mu is held.
func (p *piece) since() time.Time {
	if s := p.dog.stages[p.place.stage]; p.what == workStage && s != nil {
		return s.moved
	}
	return p.moved
}

// bite ends the stage of a piece, and then the piece: in this order, so that whoever sees the piece fail sees that the
// stage has ended.
func (d *Watchdog) bite(p *piece, now time.Time) {
	d.mu.Lock()
	why := fmt.Errorf("%w: %s", ErrStuck, p.describe(now))
	var first []*watchedStage
	for _, name := range p.holds() {
		if s := d.stages[name]; s != nil && s.running && s.ended.IsZero() {
			s.ended, s.why = now, why
			s.strikes++
			first = append(first, s)
		}
	}
	since := p.since()
	d.mu.Unlock()
	d.metrics.Stuck(p.what)
	d.log.Error("stuck, ending the membership so that others go on", "what", string(p.what), "stage", p.place.stage,
		"partition", p.place.partition, "since", since, "limit", d.limits[p.what], "ends_membership", len(first) > 0)
	if p.what == workModel {
		d.dump(slog.LevelDebug)
	}
	for _, s := range first {
		s.cancel(why)
	}
	p.cancel(why)
}

// holds are the stages that cannot get on without this piece: the photos of both topics share their calls of the CNN.
func (p *piece) holds() []string {
	if p.what == workModel && p.place.stage == "photos" {
		return []string{"photos", stageBackfill}
	}
	return []string{p.place.stage}
}

// hopeless is why the process must end, or nil.
func (d *Watchdog) hopeless(now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, s := range d.stages {
		if s.running && !s.ended.IsZero() && now.Sub(s.ended) >= d.grace {
			return fmt.Errorf("%w; stage %s was told to end %s ago and still runs", s.why, name, now.Sub(s.ended).Round(time.Millisecond))
		}
	}
	return nil
}

// dump logs what every goroutine does, as far as it fits into one log line that can still be read.
func (d *Watchdog) dump(level slog.Level) {
	if !d.log.Enabled(context.Background(), level) {
		return
	}
	text := make([]byte, 64<<10)
	d.log.Log(context.Background(), level, "goroutines", "stacks", string(text[:runtime.Stack(text, true)]))
}

// Stuck names what is over its limit and has not returned; it is empty when nothing is.
func (d *Watchdog) Stuck() string {
	return d.list(func(p *piece) bool { return p.bitten })
}

// Busy names everything in progress.
func (d *Watchdog) Busy() string {
	return d.list(func(p *piece) bool { return p.what != workStage })
}

func (d *Watchdog) list(which func(*piece) bool) string {
	if d == nil {
		return ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var lines []string
	for p := range d.pieces {
		if which(p) {
			lines = append(lines, p.describe(time.Now()))
		}
	}
	slices.Sort(lines)
	if more := len(lines) - 5; more > 0 {
		lines = append(lines[:5], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "; ")
}

// describe says what a piece is, where, and since when; the watchdog's lock is held.
func (p *piece) describe(now time.Time) string {
	where := "stage " + p.place.stage
	if p.place.partition >= 0 {
		where = fmt.Sprintf("%s partition %d", where, p.place.partition)
	}
	since := p.since()
	return fmt.Sprintf("%s in %s since %s (%s, limit %s)", p.what, where,
		since.UTC().Format(time.RFC3339), now.Sub(since).Round(time.Millisecond), Duration(p.dog.limits[p.what]))
}
