package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options say what to do. Paths are relative to the working directory.
type options struct {
	root     string // of the repository: its photos and its bundle
	binary   string // of planetag
	library  string // ONNX Runtime; empty = the worker finds it
	corpus   string // more files, everything below; empty = none
	seed     uint64
	count    int
	limit    time.Duration          // of one file
	memory   int64                  // MiB of all processes together
	patience time.Duration          // without any verdict
	report   string                 // a document for the table; empty = none
	log      string                 // of the worker; empty = a temporary one
	pick     func(name string) bool // says which of the made files are sent; nil = all
	// between is called between any two rounds; a test does its harm here.
	between func(verdicts int, worker *os.Process)
}

func main() {
	o := options{}
	flag.StringVar(&o.root, "root", ".", "the repository")
	flag.StringVar(&o.binary, "worker", "bin/planetag", "the program to run as the worker")
	flag.StringVar(&o.library, "library", os.Getenv("PLANETAG_ORT_LIB"), "the ONNX Runtime library")
	flag.StringVar(&o.corpus, "corpus", "", "a folder of files to try as well")
	flag.Uint64Var(&o.seed, "seed", 1, "of the made files")
	flag.IntVar(&o.count, "count", 4000, "how many files to make; those written by hand come first")
	flag.DurationVar(&o.limit, "limit", 5*time.Second, "for one file")
	flag.Int64Var(&o.memory, "memory", 3072, "MiB for the worker and its children together")
	flag.DurationVar(&o.patience, "patience", 90*time.Second, "without any verdict")
	flag.StringVar(&o.report, "report", "", "a document with a section for the table, or a new file")
	flag.StringVar(&o.log, "log", "", "a file for the worker's log")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := do(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

// errFound says that the run was done and something is wrong; what, stands in the table.
var errFound = errors.New("not every file ended as it should")

// do runs everything, prints the table and writes it.
func do(ctx context.Context, o options) error {
	out, err := run(ctx, o)
	if err != nil {
		return err
	}
	fmt.Println(out.markdown())
	if o.report != "" {
		if err := out.write(o.report); err != nil {
			return err
		}
	}
	if len(out.problems) > 0 {
		return errFound
	}
	return nil
}
