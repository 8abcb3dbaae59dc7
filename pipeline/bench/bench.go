package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"planetag/enrich/bundle"
	"planetag/pipeline"
)

// ErrBench says that something was measured that is no measurement: photos that
// failed, a worker that ended, a peer that cannot run.
var ErrBench = errors.New("measurement failed")

// The models that can be measured.
const (
	RealModel = "real" // the bundle's network
	NullModel = "null" // a network that costs nothing, so that everything else shows
)

// Options say what is measured. The worker is this same program, called with the argument run.
type Options struct {
	Config     pipeline.Config // of the worker; where its parts are is replaced
	Photos     string          // folder; "" = the demo's photos
	Megapixels float64         // photos are enlarged to this size, as JPEG; 0 = as they are
	Count      int             // photos of a run
	Kafka, S3  string          // address and URL, or "embedded"
	Model      string          // RealModel or NullModel
	Seconds    float64         // of each of the two paced runs; 0 = none
	Int8       string          // directory of an int8 bundle to be compared too; "" = the bundle's own int8 network, if it has one
	Compare    string          // directory of a peer; "" = none
	Rounds     int             // of the comparison
	Workers    int             // processes that share the topic; 0 = 1
	Cores      int             // to which they are confined; 0 = all
	Scaling    bool            // measure 1 core, all cores, and 4 processes, too
	Progress   func(what string)
}

// Result is everything that was measured.
type Result struct {
	Machine Machine    `json:"machine"`
	Photos  PhotoStats `json:"photos"`
	Bundle  string     `json:"bundle"`
	Model   string     `json:"model"`
	Kafka   string     `json:"kafka"`
	S3      string     `json:"s3"`
	Run     *Run       `json:"run,omitempty"`
	Ceiling *Ceiling   `json:"ceiling,omitempty"`
	// Share is photos/s reached as a share of the ceiling's, Running of a ceiling of what decoding and the network take in the run itself.
	Share      float64          `json:"share_of_ceiling,omitempty"`
	Running    float64          `json:"share_of_ceiling_as_running,omitempty"`
	Latency    []Latency        `json:"latency,omitempty"`
	Scaling    []Scale          `json:"scaling,omitempty"`
	Ratios     map[string]Ratio `json:"ratios,omitempty"`
	Comparison []Contestant     `json:"comparison,omitempty"`
	Goals      []Goal           `json:"goals,omitempty"`
	Took       float64          `json:"took_seconds"`
}

// Machine is what the figures are of.
type Machine struct {
	Cores   int     `json:"cores"`
	CPU     string  `json:"cpu"`
	Load    float64 `json:"load_average"` // of the minute before
	Go      string  `json:"go"`
	Version string  `json:"planetag"`
}

// bench is a measurement in progress.
type bench struct {
	Options
	world   *world
	scratch string
	bundle  string // in use: the configured one, or its null twin
	runs    int
}

// Measure runs what o asks for. Errors are ErrBench, those of the parts, and ctx's.
func Measure(ctx context.Context, o Options) (Result, error) {
	started := time.Now()
	b := &bench{Options: o}
	path, err := pipeline.FindBundle(o.Config.Bundle.Path)
	if err != nil {
		return Result{}, err
	}
	if b.scratch, err = os.MkdirTemp("", "planetag-bench-"); err != nil {
		return Result{}, fmt.Errorf("make scratch folder: %w", err)
	}
	defer os.RemoveAll(b.scratch)
	b.bundle = path
	if o.Model == NullModel {
		if b.bundle, err = nullBundle(path, filepath.Join(b.scratch, "null")); err != nil {
			return Result{}, err
		}
	}
	read, err := bundle.Read(path)
	if err != nil {
		return Result{}, err
	}
	if b.world, err = b.open(ctx); err != nil {
		return Result{}, err
	}
	defer b.world.close()
	r := Result{
		Machine: machine(), Photos: b.world.stats, Bundle: read.Manifest.Name + "@" + read.Manifest.Version,
		Model: o.Model, Kafka: o.Kafka, S3: o.S3,
	}
	err = b.all(ctx, &r)
	r.Took = time.Since(started).Seconds()
	r.Goals = goals(r)
	return r, err
}

func (b *bench) all(ctx context.Context, r *Result) error {
	var entrants []field
	if b.Compare != "" { // first: a peer that is not there is better known at once
		var err error
		if entrants, err = b.contestants(ctx); err != nil {
			return err
		}
	}
	if err := b.whole(ctx, r); err != nil {
		return err
	}
	if b.Scaling {
		if err := b.scale(ctx, r); err != nil {
			return err
		}
	}
	if b.Seconds > 0 {
		if err := b.paced(ctx, r); err != nil {
			return err
		}
	}
	if b.Compare != "" {
		return b.compare(ctx, entrants, r) // last: it makes the topic longer
	}
	return nil
}

// whole is one run of the worker over all photos, between two measurements of its ceiling.
func (b *bench) whole(ctx context.Context, r *Result) error {
	b.Progress("ceiling: decoding and the network, each alone")
	before, err := b.alone(ctx)
	if err != nil {
		return err
	}
	run, err := b.measure(ctx, b.worker(b.bundle, b.crew(), nil))
	if err != nil {
		return err
	}
	b.Progress("ceiling again, after the run")
	after, err := b.alone(ctx)
	if err != nil {
		return err
	}
	r.Run, r.Ceiling = &run, meanCeiling(b.cores(), before, after)
	r.Share = run.PhotosPerSecond / r.Ceiling.PhotosPerSecond
	r.Running = run.PhotosPerSecond / ceilingOf(b.cores(), run.step("decode"), 0, run.step("inference"), r.Ceiling.Accelerator).PhotosPerSecond
	return nil
}

// cores is how many the worker has.
func (o Options) cores() int {
	if o.Cores > 0 {
		return min(o.Cores, runtime.NumCPU())
	}
	return runtime.NumCPU()
}

func machine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: cpuName(), Load: loadAverage()}
	m.Version, _ = pipeline.BuildVersion()
	return m
}
