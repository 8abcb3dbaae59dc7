package pipeline

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"planetag/enrich/decode"
)

// DecodeConfig says where photos are decoded, and what one may cost.
type DecodeConfig struct {
	Isolation string   `yaml:"isolation" env:"ISOLATION"` // "process" or "none"
	Processes int      `yaml:"processes" env:"PROCESSES"` // 0 = one more than GOMAXPROCS
	Deadline  Duration `yaml:"deadline" env:"DEADLINE"`   // of one photo, in processor time
	Memory    Bytes    `yaml:"memory" env:"MEMORY"`       // of one process
}

// defaultDecode isolates where that is possible.
func defaultDecode() DecodeConfig {
	d := DecodeConfig{Isolation: "process", Deadline: Duration(4 * time.Second), Memory: 1 << 30}
	if runtime.GOOS != "linux" {
		d.Isolation = "none"
	}
	return d
}

func (c Config) checkDecode(m *mistakes) {
	d := c.Decode
	m.oneOf("decode.isolation", d.Isolation, "process", "none")
	m.when(d.Isolation == "process" && runtime.GOOS != "linux", "decode.isolation is process, which needs Linux; set it to none")
	m.atLeast("decode.processes", d.Processes, 0)
	m.positive("decode.deadline", d.Deadline)
	const least = 64 << 20
	m.when(d.Memory < least, "decode.memory is %s; a process needs at least %s for photos", d.Memory, Bytes(least))
	m.when(d.Isolation == "process" && c.Watchdog.Decode < 6*d.Deadline,
		"watchdog.decode is %s; a photo is tried twice and may take 3 times decode.deadline (%s) each time, so it must be at least 6 times as long", c.Watchdog.Decode, d.Deadline)
}

// parallel is how many photos are decoded at a time. A process does nothing while a photo is handed over to it or taken from it:
// without one more, a core would.
func (d DecodeConfig) parallel() int {
	switch {
	case d.Processes > 0:
		return d.Processes
	case d.Isolation == "process":
		return runtime.GOMAXPROCS(0) + 1
	}
	return runtime.GOMAXPROCS(0)
}

// isolate is how the worker's model decodes; nil = in this process.
func (d DecodeConfig) isolate(o decode.Observer) *decode.PoolOptions {
	if d.Isolation != "process" {
		return nil
	}
	return &decode.PoolOptions{
		Processes: d.parallel(), Deadline: time.Duration(d.Deadline), Memory: int64(d.Memory), Observer: o,
	}
}

// children tells metrics and log about decoder processes.
type children struct {
	metrics *Metrics
	log     *slog.Logger
	warn    sync.Once
}

func (c *children) ChildStarted(confined bool) {
	c.metrics.DecodeChild(childStarted)
	if !confined {
		c.warn.Do(func() {
			c.log.Warn("this system does not let decoder processes give up system calls; their memory and their time are limited all the same")
		})
	}
}

func (c *children) ChildCrashed(err error) {
	c.metrics.DecodeChild(childCrashed)
	c.log.Warn("decoder process replaced", "err", err)
}

func (c *children) ChildTooSlow(err error) {
	c.metrics.DecodeChild(childTooSlow)
	c.log.Warn("decoder process replaced", "err", err)
}

// PhotoDecoder decodes photos as the worker's model does.
type PhotoDecoder interface {
	Photo(ctx context.Context, data []byte, g decode.Geometry, dst []byte) (decode.Photo, error)
	Close() error
}

// NewDecoder is a decoder for tools that have no model. It must be closed.
func (c Config) NewDecoder(g decode.Geometry) (PhotoDecoder, error) {
	limits := decode.DefaultLimits()
	limits.MaxBytes = int64(c.Photos.MaxObjectBytes)
	if isolated := c.Decode.isolate(nil); isolated != nil {
		return decode.NewPool(limits, g, *isolated)
	}
	return decode.New(limits)
}
