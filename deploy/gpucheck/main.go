package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"planetag/deploy/report"
	"planetag/enrich/infer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gpucheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var c check
	var bundles, options, document, python string
	flag.StringVar(&c.device.Provider, "provider", infer.ProviderAuto, "auto, cpu, cuda or tensorrt")
	flag.IntVar(&c.device.ID, "device", 0, "which GPU")
	flag.StringVar(&c.device.Cache, "cache", "", "directory of TensorRT's engines")
	flag.StringVar(&options, "options", "", "more options of the provider: name=value,name=value")
	flag.StringVar(&bundles, "bundles", "bundles/demo", "bundles to measure, comma-separated; the first is compared with the CPU's answers")
	flag.StringVar(&c.photos, "photos", "pipeline/demo/photos", "folder of JPEGs")
	flag.DurationVar(&c.span, "span", 2*time.Second, "how long each figure is measured")
	flag.BoolVar(&c.speedOnly, "speed", false, "only how fast it is: to compare options")
	flag.StringVar(&python, "python", "python3", "a Python that may have PyTorch")
	flag.StringVar(&document, "report", "", "document with a section gpu to write the table into")
	flag.Parse()
	c.device.Options = map[string]string{}
	for _, o := range strings.FieldsFunc(options, func(r rune) bool { return r == ',' }) {
		name, value, _ := strings.Cut(o, "=")
		c.device.Options[name] = value
	}
	c.gpus = gpus(ctx)
	for _, b := range strings.Split(bundles, ",") {
		fmt.Fprintf(os.Stderr, "gpucheck: %s\n", b)
		if err := c.bundle(ctx, filepath.Clean(b)); err != nil {
			return err
		}
	}
	c.pytorch(ctx, python)
	text := c.markdown()
	fmt.Print(text)
	var err error
	if document != "" {
		err = report.Section(document, "gpu", text)
	}
	if len(c.broken) > 0 {
		err = errors.Join(err, fmt.Errorf("%d promises do not hold: %s", len(c.broken), strings.Join(c.broken, "; ")))
	}
	return err
}

// check is the whole measurement.
type check struct {
	device infer.Device
	photos string
	span   time.Duration
	// speedOnly leaves the promises out.
	speedOnly bool
	gpus      string
	rows      []row
	broken    []string
}

// row is one line of the table.
type row struct{ bundle, figure, value string }

// add says the figure at once, too: the whole takes minutes, and whoever has a GPU by the minute wants what there is when it ends.
func (c *check) add(bundle, figure, format string, args ...any) {
	r := row{bundle, figure, fmt.Sprintf(format, args...)}
	c.rows = append(c.rows, r)
	fmt.Fprintf(os.Stderr, "gpucheck: %s: %s: %s\n", r.bundle, r.figure, r.value)
}

// promise adds a figure that must hold.
func (c *check) promise(holds bool, bundle, figure, format string, args ...any) {
	c.add(bundle, figure, format, args...)
	if !holds {
		c.broken = append(c.broken, fmt.Sprintf("%s, %s: %s", bundle, figure, fmt.Sprintf(format, args...)))
	}
}

func (c *check) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "`make gpu-check PROVIDER=%s`, %s, %d cores%s, %v a figure.\n\n| bundle | figure | value |\n|---|---|---|\n",
		c.device.Provider, time.Now().UTC().Format(time.DateOnly), runtime.GOMAXPROCS(0), c.gpus, c.span)
	for _, r := range c.rows {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.bundle, r.figure, r.value)
	}
	return b.String()
}

// gpus names what the driver's own tool finds; nothing where there is none.
func gpus(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").Output()
	if err != nil {
		return ""
	}
	return ", " + strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", "; ")
}
