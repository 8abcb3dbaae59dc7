package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Listed is an object as a listing shows it.
type Listed struct {
	Key      string
	ETag     string // without quotes
	Size     int64
	Modified time.Time
}

// List calls each for every object of a bucket whose key begins with prefix and comes after the key after, in ascending
// order of their bytes, until each returns an error. A page that cannot be read is asked for again, behind the last key
// that each was given: nothing is listed twice. The error is each's own, one of the sentinels of store_errors.go, or the
// reason why ctx ended.
func (s *Store) List(ctx context.Context, bucket, prefix, after string, each func(Listed) error) error {
	failures, pause := 0, firstPause
	for {
		var mine error
		before := after
		err := s.list(ctx, bucket, prefix, &after, func(o Listed) error {
			mine = each(o)
			return mine
		})
		switch {
		case err == nil || mine != nil:
			return mine
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case after != before:
			failures, pause = 0, firstPause
		}
		if failures++; failures >= bodyAttempts || !isAny(err, ErrStorage, ErrStorageDenied) {
			return fmt.Errorf("list %s/%s behind %q: %w", bucket, prefix, after, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, time.Second)
	}
}

// list lists until something fails, and moves after behind every object that each was given.
func (s *Store) list(ctx context.Context, bucket, prefix string, after *string, each func(Listed) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the client lists ahead on a goroutine of its own
	options := minio.ListObjectsOptions{Prefix: prefix, Recursive: true, StartAfter: *after}
	for o := range s.client.ListObjectsIter(ctx, bucket, options) {
		if o.Err != nil {
			return s.failure(ctx, Reference{Bucket: bucket}, o.Err)
		}
		if o.Key <= *after { // a store that does not know start-after
			continue
		}
		if err := each(Listed{o.Key, strings.Trim(o.ETag, `"`), o.Size, o.LastModified}); err != nil {
			return err
		}
		*after = o.Key
	}
	return nil
}
