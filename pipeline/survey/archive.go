package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"planetag/pipeline"
)

// ErrArchive says that there is no archive under the given name.
var ErrArchive = errors.New("no archive to survey")

// archive is where photos are.
type archive interface {
	// list calls each for the objects behind the key after, in ascending order.
	list(ctx context.Context, after string, each func(pipeline.Listed) error) error
	// open gives an object to be read in parts, and what to do when done.
	open(ctx context.Context, o pipeline.Listed) (io.ReaderAt, func() error, error)
}

// archiveOf is s3://bucket/prefix in the store of the configuration, or a folder.
func archiveOf(name string, c pipeline.Config) (archive, error) {
	bucket, prefix, ok, err := s3Name(name)
	if err != nil {
		return nil, err
	}
	if ok {
		store, err := pipeline.NewStore(c.S3, c.Photos.MaxObjectBytes)
		if err != nil {
			return nil, err
		}
		return objects{store, bucket, prefix}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is not a folder", ErrArchive, name)
	}
	return folder{name}, nil
}

func s3Name(name string) (bucket, prefix string, ok bool, err error) {
	rest, ok := strings.CutPrefix(name, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if ok && bucket == "" {
		return "", "", true, fmt.Errorf("%w: %q names no bucket; write s3://bucket/prefix", ErrArchive, name)
	}
	return bucket, prefix, ok, nil
}

// objects are those of a bucket under a prefix.
type objects struct {
	store          *pipeline.Store
	bucket, prefix string
}

func (o objects) list(ctx context.Context, after string, each func(pipeline.Listed) error) error {
	return o.store.List(ctx, o.bucket, o.prefix, after, each)
}

func (o objects) open(ctx context.Context, l pipeline.Listed) (io.ReaderAt, func() error, error) {
	return o.store.Part(ctx, o.bucket, l), func() error { return nil }, nil
}

// folder is one on this machine. Keys are paths below it, with slashes.
type folder struct{ dir string }

// list walks in the order of the keys, which is not that of a walk over folders:
// "a.jpg" is before "a/b.jpg", as a dot is before a slash.
func (f folder) list(ctx context.Context, after string, each func(pipeline.Listed) error) error {
	return f.walk(ctx, "", after, each)
}

func (f folder) walk(ctx context.Context, below, after string, each func(pipeline.Listed) error) error {
	entries, err := os.ReadDir(filepath.Join(f.dir, filepath.FromSlash(below)))
	if err != nil {
		return fmt.Errorf("list %s: %w", filepath.Join(f.dir, below), err)
	}
	// A folder's key, for the order, ends in a slash as the keys below it do.
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return path.Join(below, e.Name()) + "/"
		}
		return path.Join(below, e.Name())
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k := key(e)
		switch {
		case e.IsDir():
			if k+"\U0010ffff" > after {
				err = f.walk(ctx, strings.TrimSuffix(k, "/"), after, each)
			}
		case k > after && e.Type().IsRegular(): // links could lead out of the folder
			err = f.listed(e, k, each)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f folder) listed(e fs.DirEntry, key string, each func(pipeline.Listed) error) error {
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) { // gone since
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", key, err)
	}
	return each(pipeline.Listed{Key: key, Size: info.Size(), Modified: info.ModTime()})
}

func (f folder) open(_ context.Context, l pipeline.Listed) (io.ReaderAt, func() error, error) {
	file, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(l.Key)))
	if err != nil {
		return nil, nil, fmt.Errorf("open: %w", err)
	}
	return file, file.Close, nil
}
