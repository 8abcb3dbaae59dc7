package pipeline

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Part is an object to be read in parts, as an io.ReaderAt. Every read is a request; all are for the version with this
// etag. It is for one goroutine at a time. It keeps its context because io.ReaderAt has no room for one: a Part lives no
// longer than the call that opens it.
type Part struct {
	ctx    context.Context
	store  *Store
	bucket string
	object Listed

	Requests int
	Bytes    int64
}

// Part opens a listed object; nothing is sent yet. Reads fail when ctx ends, and with the sentinels of store_errors.go.
func (s *Store) Part(ctx context.Context, bucket string, o Listed) *Part {
	return &Part{ctx: ctx, store: s, bucket: bucket, object: o}
}

// ReadAt is part of io.ReaderAt.
func (p *Part) ReadAt(to []byte, off int64) (int, error) {
	if off >= p.object.Size {
		return 0, io.EOF
	}
	n := min(int64(len(to)), p.object.Size-off)
	if n == 0 {
		return 0, nil
	}
	ref := Reference{Bucket: p.bucket, Key: p.object.Key, ETag: p.object.ETag}
	_, err := p.store.patiently(p.ctx, ref, func(answered func()) (Object, error) {
		p.Requests++
		return Object{}, p.store.part(p.ctx, ref, off, to[:n], answered)
	})
	if err != nil {
		return 0, err
	}
	p.Bytes += n
	if n < int64(len(to)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// part reads a range of an object once.
func (s *Store) part(ctx context.Context, ref Reference, off int64, to []byte, answered func()) error {
	ctx, pace := s.pace(ctx)
	defer pace.end()
	var options minio.GetObjectOptions
	if err := options.SetRange(off, off+int64(len(to))-1); err != nil {
		return fmt.Errorf("%w: range: %w", ErrReference, err)
	}
	if ref.ETag != "" {
		if err := options.SetMatchETag(ref.ETag); err != nil {
			return fmt.Errorf("%w: etag: %w", ErrReference, err)
		}
	}
	body, info, header, err := s.client.GetObject(ctx, ref.Bucket, ref.Key, options)
	if err != nil {
		return s.failure(ctx, ref, err)
	}
	defer body.Close()
	answered()
	object := Object{ETag: strings.Trim(info.ETag, `"`)}
	if object.ETag != "" {
		if err := object.is(ref); err != nil { // a server that ignores If-Match
			return err
		}
	}
	in := pace.of(body)
	if header.Get("Content-Range") == "" { // or one that ignores ranges
		if _, err := io.CopyN(io.Discard, in, off); err != nil {
			return s.failure(ctx, ref, fmt.Errorf("%w: %w", errCutBody, err))
		}
	}
	if _, err := io.ReadFull(in, to); err != nil {
		return s.failure(ctx, ref, fmt.Errorf("%w: %w", errCutBody, err))
	}
	return nil
}
