package export

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"planetag/consumer"
	"planetag/pipeline"
)

// Options says what is written where.
type Options struct {
	Config  pipeline.Config
	Parquet string // file; "" = none
	GeoJSON string // file, or "-" for Stdout; "" = none
	XMP     Sidecars
	Stdout  io.Writer
	Log     *slog.Logger
}

// Report is what was written.
type Report struct {
	Photos     int64            `json:"photos"`
	Statuses   map[string]int64 `json:"statuses"`
	OptedOut   int64            `json:"opted_out"`  // left out
	Unreadable int64            `json:"unreadable"` // records that are no locations
	Changed    int64            `json:"changed"`    // photos whose record was replaced while the topic was read; left out
	Sidecars   *SidecarReport   `json:"sidecars,omitempty"`
}

// sink is one file to be.
type sink interface {
	add(l pipeline.Location) error
	close() error // with nothing left to be written
}

// Run writes the files. They appear when they are complete; sidecars, one by one. Errors: ErrFolder, those of the brokers, the
// configuration and the disk, ctx's.
func Run(ctx context.Context, o Options) (Report, error) {
	folder, err := o.folder()
	if err != nil {
		return Report{}, err
	}
	defer folder.close()
	client, err := pipeline.Connect(ctx, o.Config, o.Log, nil)
	if err != nil {
		return Report{}, err
	}
	defer client.Close()
	won := newWinners()
	topic := o.Config.Topics.Locations
	if _, err := client.Read(ctx, topic, nil, func(r consumer.Record) error { won.see(r); return nil }); err != nil {
		return Report{}, err
	}
	r := Report{Statuses: map[string]int64{}, Unreadable: won.bad}
	if r.Sidecars, err = folder.begin(won); err != nil {
		return r, err
	}
	files, err := o.files()
	if err != nil {
		return r, err
	}
	_, err = client.Read(ctx, topic, nil, func(rec consumer.Record) error {
		if rec.Value == nil || !won.counts(rec) {
			return nil
		}
		l, err := r.count(rec)
		if err != nil {
			return nil //nolint:nilerr // counted, and said in the report
		}
		return errors.Join(files.add(l), folder.add(l))
	})
	expected, optedOut := won.len()
	r.OptedOut, r.Changed = optedOut, expected-r.Photos
	if err != nil {
		files.drop()
		return r, err
	}
	return r, errors.Join(files.close(), folder.sweep(ctx))
}

func (r *Report) count(rec consumer.Record) (l pipeline.Location, err error) {
	if err = json.Unmarshal(rec.Value, &l); err != nil {
		r.Unreadable++
		return l, err
	}
	r.Photos++
	r.Statuses[l.Status]++
	return l, nil
}

// output is a file that gets its name when it is complete.
type output struct {
	sink
	file *os.File
	to   *bufio.Writer
	name string
}

// outputs are the files of one run.
type outputs []*output

func (o Options) files() (list outputs, err error) {
	for _, want := range []struct {
		name string
		make func(io.Writer) (sink, error)
	}{{o.Parquet, newParquet}, {o.GeoJSON, newGeoJSON}} {
		if want.name == "" {
			continue
		}
		out := &output{name: want.name}
		if want.name == "-" {
			out.to = bufio.NewWriter(o.Stdout)
		} else {
			// Positions of photos are nobody else's business.
			if out.file, err = os.CreateTemp(filepath.Dir(want.name), filepath.Base(want.name)+".*.part"); err != nil {
				list.drop()
				return nil, fmt.Errorf("write export: %w", err)
			}
			out.to = bufio.NewWriterSize(out.file, 1<<20)
		}
		list = append(list, out)
		if out.sink, err = want.make(out.to); err != nil {
			list.drop()
			return nil, fmt.Errorf("write export: %w", err)
		}
	}
	return list, nil
}

func (l outputs) add(location pipeline.Location) error {
	for _, out := range l {
		if err := out.add(location); err != nil {
			return fmt.Errorf("write %s: %w", out.name, err)
		}
	}
	return nil
}

func (l outputs) close() (err error) {
	for _, out := range l {
		err = errors.Join(err, out.finish())
	}
	return err
}

func (o *output) finish() error {
	err := errors.Join(o.sink.close(), o.to.Flush())
	if o.file == nil {
		return err
	}
	if err = errors.Join(err, o.file.Close()); err != nil {
		_ = os.Remove(o.file.Name())
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	if err := os.Rename(o.file.Name(), o.name); err != nil {
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	return nil
}

// drop leaves nothing behind.
func (l outputs) drop() {
	for _, out := range l {
		if out.file != nil {
			_ = out.file.Close()
			_ = os.Remove(out.file.Name())
		}
	}
}
