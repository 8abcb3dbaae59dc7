package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/pipeline"
)

// Options say what is checked.
type Options struct {
	Name      string          // of the configuration, for people
	Config    pipeline.Config // only looked at when ConfigErr is nil
	ConfigErr error           // why there is no Config
	Warnings  []string        // of reading it: keys that are deprecated, variables that mean nothing

	root string // of the file system with /proc and /sys, for tests; empty = /
}

// Status is how a check ended.
type Status string

// The four ends of a check.
const (
	OK      Status = "ok"
	Warning Status = "warning" // the worker would work, but …
	Failed  Status = "failed"
	Skipped Status = "skipped" // what it depends on failed
)

// Problem is one thing that is wrong, and what to do.
type Problem struct {
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
	Err    error  `json:"-"` // for the exit status; nil: it only deserves a warning
}

// Check is one line of the list.
type Check struct {
	Name     string    `json:"name"`
	Status   Status    `json:"status"`
	Millis   float64   `json:"ms"`
	Detail   string    `json:"detail,omitempty"` // what was found, or why it was skipped
	Lines    []string  `json:"lines,omitempty"`  // the same, of each message
	Problems []Problem `json:"problems,omitempty"`
}

// Report is the whole list, in the order in which the checks were made.
type Report struct {
	Config string  `json:"config"`
	OK     bool    `json:"ok"` // nothing failed
	Checks []Check `json:"checks"`
}

// Errors are the causes of all that failed.
func (r Report) Errors() []error {
	var errs []error
	for _, c := range r.Checks {
		for _, p := range c.Problems {
			if p.Err != nil {
				errs = append(errs, p.Err)
			}
		}
	}
	return errs
}

// checking is a report in the making, and what one check found that another needs.
type checking struct {
	Report
	Options
	cfg      pipeline.Config
	client   *consumer.Client
	store    *pipeline.Store
	topics   map[string]consumer.TopicState
	messages []consumer.Record
	live     []pipeline.Reference // of photos that messages ask for
	photo    *pipeline.Reference  // one that is in the bucket and was decoded
	model    *enrich.Model

	verified  pipeline.Verification
	verifyErr error
}

// patience is how long one check may take.
const patience = 30 * time.Second

// Run makes every check. The error is ctx's: all else is in the report.
func Run(ctx context.Context, o Options) (Report, error) {
	c := &checking{Report: Report{Config: o.Name, OK: true}, Options: o, cfg: o.Config, topics: make(map[string]consumer.TopicState)}
	defer c.close()
	for _, step := range c.steps() {
		if err := ctx.Err(); err != nil {
			return c.Report, context.Cause(ctx)
		}
		c.make(ctx, step)
	}
	return c.Report, ctx.Err()
}

// step is a check and the names of those without which it makes no sense.
type step struct {
	name  string
	needs []string
	run   func(context.Context, *Check)
}

func (c *checking) steps() []step {
	photos := slices.Contains(c.cfg.Stages, "photos")
	steps := []step{
		{"config", nil, c.config},
		{"broker", []string{"config"}, c.broker},
		{"rights", []string{"broker"}, c.rights},
		{"topics", []string{"broker"}, c.allTopics},
	}
	if photos || c.ConfigErr != nil {
		steps = append(steps, []step{
			{"messages", []string{"broker"}, c.recent},
			{"bucket", []string{"config"}, c.bucket},
			{"photo", []string{"bucket"}, c.samplePhoto},
		}...)
	}
	steps = append(steps, []step{
		{"bundle", []string{"config"}, c.bundle},
		{"runtime", []string{"bundle"}, c.runtime},
	}...)
	if photos || c.ConfigErr != nil {
		steps = append(steps, step{"location", []string{"photo", "runtime"}, c.location}, step{"clock", []string{"config"}, c.clock})
	}
	return append(steps, step{"disk", []string{"config"}, c.disk}, step{"memory", []string{"config"}, c.memory})
}

func (c *checking) make(ctx context.Context, s step) {
	check := Check{Name: s.name, Status: OK}
	if lacking := c.failedOf(s.needs); lacking != "" {
		check.skip(lacking)
	} else {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		started := time.Now()
		s.run(ctx, &check)
		check.Millis = time.Since(started).Seconds() * 1000
	}
	c.OK = c.OK && check.Status != Failed
	c.Checks = append(c.Checks, check)
}

// failedOf says which of the named checks failed, or why one was not made.
func (c *checking) failedOf(names []string) string {
	for _, check := range c.Checks {
		switch {
		case !slices.Contains(names, check.Name):
		case check.Status == Failed:
			return check.Name + " failed"
		case check.Status == Skipped:
			return strings.TrimPrefix(check.Detail, "because ")
		}
	}
	return ""
}

// found says what is as it should be.
func (k *Check) found(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if k.Detail != "" {
		text = k.Detail + ", " + text
	}
	k.Detail = text
}

// fail adds a problem for which the worker would not work.
func (k *Check) fail(err error, what, remedy string) {
	k.Status = Failed
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", ErrSlow, err)
	}
	k.Problems = append(k.Problems, Problem{what, remedy, err})
}

// ErrSlow says that a check did not come to an end in time.
var ErrSlow = errors.New("no answer in time")

// warn adds one with which it would.
func (k *Check) warn(what, remedy string) {
	if k.Status == OK {
		k.Status = Warning
	}
	k.Problems = append(k.Problems, Problem{what, remedy, nil})
}

// wrong adds an error with the remedy that it brings along, or the one given. A problem of the cluster is for the operator
// to mend, as a mistake in the configuration is.
func (k *Check) wrong(err error, remedy string) {
	var p *consumer.Problem
	if errors.As(err, &p) {
		k.fail(fmt.Errorf("%w: %w", pipeline.ErrConfig, err), p.What, p.Remedy)
		return
	}
	k.fail(err, err.Error(), remedy)
}

// skip says why a check was not made after all.
func (k *Check) skip(why string) { k.Status, k.Detail = Skipped, "because "+why }

func (c *checking) config(_ context.Context, k *Check) {
	for _, w := range c.Warnings {
		k.warn(w, "")
	}
	if c.ConfigErr != nil {
		k.fail(c.ConfigErr, c.ConfigErr.Error(), "`planetag config print` shows what is in force and where it comes from")
		return
	}
	k.found("%s: every key is known and every value makes sense", c.Name)
}

func (c *checking) close() {
	if c.model != nil {
		_ = c.model.Close() // the report is made
	}
	if c.client != nil {
		c.client.Close()
	}
}
