package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"planetag/deploy/report"
	"planetag/pipeline/bench"
)

func newBench(g *global, std streams) *cobra.Command {
	o := bench.Options{}
	var asJSON bool
	var into string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure where the time goes, and how near it is to what the machine can do",
		Long: `Run a worker in a process of its own on a broker and a store, and print what each
step costs, the ceiling that decoding and the network set when they are alone, the
share of it that was reached, latencies at half and nine tenths of that load, batches
and memory. Settings of the worker are taken from PLANETAG_… variables, as by run.

--compare runs another worker in alternation on the same broker, bucket, photos and
network; package pipeline/bench says what a peer's directory must hold.`,
		Example: `  planetag bench --photos ~/Pictures/2019 --count 2000
  planetag bench --model null --count 1000000 --seconds 0    # does anything grow?
  planetag bench --workers 4                                  # processes on one topic
  planetag bench --megapixels 1.2 --compare ./peer --int8 ./bundle-int8`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkBench(cmd, o); err != nil {
				return err
			}
			var err error
			if o.Config, err = g.config(""); err != nil {
				return err
			}
			b := newBar(std)
			o.Progress = func(what string) { b.show(what, 0, 0) }
			r, err := bench.Measure(cmd.Context(), o)
			b.end()
			if err != nil {
				return reached(err)
			}
			return printBench(std, r, asJSON, into)
		},
	}
	benchFlags(cmd.Flags(), &o)
	cmd.Flags().StringVar(&into, "report", "", "document whose section bench, or bench-null, is replaced by the tables")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func benchFlags(f *pflag.FlagSet, o *bench.Options) {
	f.StringVar(&o.Photos, "photos", "", "folder of JPEGs (default: the demo's)")
	f.Float64Var(&o.Megapixels, "megapixels", 0, "enlarge the photos to this size first; 0 leaves them as they are")
	f.IntVar(&o.Count, "count", 2000, "photos of a run; the folder's are used again and again; with fewer than 1300 the start is in the figures")
	f.StringVar(&o.Kafka, "kafka", "embedded", "embedded, or host:port of a broker that has no topic pin yet")
	f.StringVar(&o.S3, "s3", "embedded", "embedded, or a store's URL, with the keys ak and secretkey")
	f.StringVar(&o.Model, "model", bench.RealModel, "real, or null: a network that costs nothing")
	f.Float64Var(&o.Seconds, "seconds", 10, "how long each latency is measured; 0 leaves them out")
	f.StringVar(&o.Compare, "compare", "", "directory of a peer, or its name in the folder that PLANETAG_PEERS names")
	f.StringVar(&o.Int8, "int8", "", "bundle with an int8 network to be compared as well (default: the bundle's own cnn.int8, if it has one)")
	f.IntVar(&o.Rounds, "rounds", 5, "of the comparison")
	f.IntVar(&o.Workers, "workers", 1, "worker processes that share the topic, at most 8")
	f.IntVar(&o.Cores, "cores", 0, "cores that the worker may use; 0 = all; broker and store are not confined")
	f.BoolVar(&o.Scaling, "scaling", false, "measure one core, all cores, and four processes on one topic as well")
}

func checkBench(cmd *cobra.Command, o bench.Options) error {
	switch {
	case o.Model != bench.RealModel && o.Model != bench.NullModel:
		return wrongUsage(cmd, fmt.Errorf("--model is %q; choose real or null", o.Model))
	case o.Count < 20:
		return wrongUsage(cmd, fmt.Errorf("--count is %d; fewer than 20 photos measure nothing", o.Count))
	case o.Workers < 1 || o.Workers > 8 || o.Cores < 0 || o.Cores > runtime.NumCPU():
		return wrongUsage(cmd, fmt.Errorf("--workers is %d and --cores %d; choose 1 to 8 processes on at most %d cores", o.Workers, o.Cores, runtime.NumCPU()))
	case o.Rounds < 1 || o.Seconds < 0 || o.Megapixels < 0 || o.Megapixels > 100:
		return wrongUsage(cmd, fmt.Errorf("--rounds, --seconds or --megapixels is out of range"))
	}
	return nil
}

func printBench(std streams, r bench.Result, asJSON bool, into string) error {
	if into != "" {
		var text strings.Builder
		if err := r.Write(&text); err != nil {
			return err
		}
		section := "bench"
		if r.Model == bench.NullModel {
			section = "bench-null"
		}
		if err := report.Section(into, section, text.String()); err != nil {
			return err
		}
	}
	if asJSON {
		return printJSON(std.out, true, r)
	}
	return r.Write(std.out)
}
