package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Listed is an object as a listing shows it.
type Listed struct {
	Key       string
	ETag      string // without quotes
	Size      int64
	Modified  time.Time
	VersionID string `json:",omitempty"` // only of a listing of versions
}

// PhotoEndings are the endings, in small letters and with their dots, of objects that are photos by their names.
func PhotoEndings() []string {
	return []string{".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif"}
}

// List calls each for every object of a bucket whose key begins with prefix and comes after the key after, in ascending
// order of their bytes, until each returns an error. A page that cannot be read is asked for again, behind the last key
// that each was given: nothing is listed twice. The error is each's own, one of the sentinels of store_errors.go, or the
// reason why ctx ended.
func (s *Store) List(ctx context.Context, bucket, prefix, after string, each func(Listed) error) error {
	return s.listed(ctx, bucket, after, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}, each)
}

// ListVersions is List with the version that each object has now.
func (s *Store) ListVersions(ctx context.Context, bucket, prefix, after string, each func(Listed) error) error {
	return s.listed(ctx, bucket, after, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, WithVersions: true}, each)
}

// errEnough ends a listing of which enough was seen.
var errEnough = errors.New("enough")

// Directories lists one level below a prefix, of which about most entries are looked at: the names of its directories,
// each with the prefix and a slash, and how many objects lie beside them.
func (s *Store) Directories(ctx context.Context, bucket, prefix string, most int) (dirs []string, objects int, err error) {
	err = s.listed(ctx, bucket, "", minio.ListObjectsOptions{Prefix: prefix}, func(o Listed) error {
		switch {
		case strings.HasSuffix(o.Key, "/") && o.Key != prefix:
			dirs = append(dirs, o.Key)
		case o.Key != prefix:
			objects++
		}
		if len(dirs)+objects >= most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return dirs, objects, err
}

func (s *Store) listed(ctx context.Context, bucket, after string, options minio.ListObjectsOptions, each func(Listed) error) error {
	failures, pause := 0, firstPause
	for {
		var mine error
		before := after
		err := s.list(ctx, bucket, options, &after, func(o Listed) error {
			mine = each(o)
			return mine
		})
		switch {
		case mine != nil:
			return mine
		case ctx.Err() != nil: // also without an error: the client then ends as if there were no more objects
			return context.Cause(ctx)
		case err == nil:
			return nil
		case after != before:
			failures, pause = 0, firstPause
		}
		if failures++; failures >= bodyAttempts || !isAny(err, ErrStorage, ErrStorageDenied) {
			return fmt.Errorf("list %s/%s behind %q: %w", bucket, options.Prefix, after, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, time.Second)
	}
}

// list lists until something fails, and moves after behind every object that each was given. One level of directories
// does not come in order: its caller takes what it gets, and after stays where it is.
func (s *Store) list(ctx context.Context, bucket string, options minio.ListObjectsOptions, after *string, each func(Listed) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the client lists ahead on a goroutine of its own
	options.StartAfter = *after
	for o := range s.client.ListObjectsIter(ctx, bucket, options) {
		if o.Err != nil {
			return s.failure(ctx, Reference{Bucket: bucket}, o.Err)
		}
		if options.Recursive && o.Key <= *after { // a store that does not know start-after
			continue
		}
		if options.WithVersions && (!o.IsLatest || o.IsDeleteMarker) {
			continue
		}
		err := each(Listed{
			Key: o.Key, ETag: strings.Trim(o.ETag, `"`), Size: o.Size, Modified: o.LastModified, VersionID: o.VersionID,
		})
		if err != nil {
			return err
		}
		if options.Recursive {
			*after = o.Key
		}
	}
	return nil
}
