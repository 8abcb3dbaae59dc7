package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"planetag/pipeline"
	"planetag/pipeline/sidecar"
)

// ErrFolder says that sidecars cannot be written as they were asked for.
var ErrFolder = errors.New("cannot write sidecars")

// Sidecars says which XMP sidecars are written, one for each photo.
type Sidecars struct {
	Dir           string  // folder for them alone, with the paths of the keys; "" = none
	Photos        string  // folder of the photos: only beside those that are there, whose own EXIF is looked at; "" = none
	Of            string  // BUCKET or BUCKET/PREFIX of which the folder is a copy; "" = the one bucket
	Stem          bool    // IMG.xmp in place of IMG.jpg.xmp
	GPS           bool    // estimates also as exif:GPS, where applications take them for measured, within the next two
	MinConfidence float64 // for GPS
	MaxRadiusKM   float64 // of nine tenths, for GPS
	Prune         bool    // take estimates out of sidecars of photos that the topic does not know, too
}

// SidecarReport counts sidecars.
type SidecarReport struct {
	Written    int64 `json:"written"`
	Unchanged  int64 `json:"unchanged"`
	TakenOut   int64 `json:"taken_out"`  // an estimate, and the sidecar if it held nothing else
	Positioned int64 `json:"positioned"` // photos with a position of somebody else, that get no estimate
	Finer      int64 `json:"finer"`      // estimates finer than bundle.precision_cap_level is now, not written
	Absent     int64 `json:"absent"`     // photos that are not in the folder, or not of what the folder is a copy of
	Unknown    int64 `json:"unknown"`    // sidecars with an estimate for a photo that the topic does not know
	LeftAlone  int64 `json:"left_alone"` // each is named in the log
}

// folder is where the sidecars are. A nil one takes everything and writes nothing.
type folder struct {
	Sidecars
	root   *os.Root
	capped int // level; 0 = as published
	won    *winners
	report SidecarReport
	log    *slog.Logger
	alone  map[string]bool // by the sidecar's path
}

func (o Options) folder() (*folder, error) {
	if o.XMP.Dir == "" && o.XMP.Photos == "" {
		return nil, nil
	}
	dir := o.XMP.Photos
	if dir == "" {
		dir = o.XMP.Dir
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFolder, err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return &folder{Sidecars: o.XMP, root: root, capped: o.Config.Bundle.PrecisionCapLevel, log: o.Log, alone: map[string]bool{}}, nil
}

func (f *folder) close() {
	if f != nil {
		_ = f.root.Close()
	}
}

// begin is told who won. One folder cannot be a copy of two buckets.
func (f *folder) begin(won *winners) (*SidecarReport, error) {
	if f == nil {
		return nil, nil
	}
	f.won = won
	if photos, out := won.len(); f.Prune && photos+out == 0 {
		return nil, fmt.Errorf("%w: the topic has no locations, and pruning would take all estimates out; is it the right topic?", ErrFolder)
	}
	if f.Of == "" && len(won.buckets) > 1 {
		return nil, fmt.Errorf("%w: the locations are of several buckets; say which one the folder is a copy of, with --xmp-of BUCKET or BUCKET/PREFIX", ErrFolder)
	}
	return &f.report, nil
}

// add brings the sidecar of one photo up to date.
func (f *folder) add(l pipeline.Location) error {
	if f == nil {
		return nil
	}
	photo, here := l.Source.Key, true
	if f.Of != "" {
		photo, here = strings.CutPrefix(l.Source.Bucket+"/"+l.Source.Key, strings.TrimSuffix(f.Of, "/")+"/")
	}
	if !here {
		f.report.Absent++
		return nil
	}
	name := photo + ".xmp"
	if f.Stem {
		name = strings.TrimSuffix(photo, path.Ext(photo)) + ".xmp"
	}
	return f.judge(name, f.update(name, photo, l))
}

// judge leaves one sidecar alone and goes on, unless no other would fare better.
func (f *folder) judge(name string, err error) error {
	if err == nil {
		return nil
	}
	for _, disk := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, disk) {
			return fmt.Errorf("write sidecar %s: %w", name, err)
		}
	}
	if !f.alone[name] {
		f.alone[name] = true
		f.report.LeftAlone++
		f.log.Warn("a sidecar is left alone", "sidecar", name, "error", err)
	}
	return nil
}

func (f *folder) update(name, photo string, l pipeline.Location) error {
	if !filepath.IsLocal(photo) || path.Clean(photo) != photo {
		return fmt.Errorf("%w: %q is not the path of a file", ErrFolder, photo)
	}
	seen, err := f.look(photo)
	if errors.Is(err, fs.ErrNotExist) {
		f.report.Absent++
		return nil
	}
	if err != nil {
		return err
	}
	old, err := f.read(name)
	if err != nil {
		return err
	}
	if id := old.PhotoID(); id != "" && id != l.PhotoID {
		if _, counts := f.won.standing(id); counts {
			return fmt.Errorf("%w: it is of the photo %s, and %s would have the same one", ErrFolder, id, l.PhotoID)
		}
	}
	return f.apply(old, f.estimate(l, seen.positioned || old.Positioned(), seen.readable), seen.info)
}

// sweep takes the estimates of photos out that were removed or retracted, or whose owners opted out.
func (f *folder) sweep(ctx context.Context) error {
	if f == nil {
		return nil
	}
	return fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return f.judge(name, err)
		case !d.Type().IsRegular() || !strings.HasSuffix(name, ".xmp"):
			return nil
		}
		return f.judge(name, f.review(name))
	})
}

func (f *folder) review(name string) error {
	data, info, err := f.bytes(name)
	if err != nil || !bytes.Contains(data, []byte(sidecar.Namespace)) {
		return err
	}
	old, err := understood(name, data, info)
	if err != nil {
		return err
	}
	id := old.PhotoID()
	known, counts := f.won.standing(id)
	switch {
	case id == "" || counts:
		return nil
	case !known && !f.Prune:
		f.report.Unknown++
		return nil
	}
	return f.apply(old, nil, nil)
}
