package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Object is one object, read whole.
type Object struct {
	Data      []byte
	ETag      string // without quotes
	VersionID string // empty in a bucket without versions
	Size      int64

	whole func(context.Context) error // asks the store whether this is all; nil = nobody to ask
}

// Store reads objects from S3. Its methods may be called from many goroutines.
type Store struct {
	client    *minio.Core
	creds     *credentials.Credentials
	bucket    string // what the store says of it judges the configuration: see failure
	maxObject int64
	grace     time.Duration
	timeout   time.Duration
	minRate   int64
	limit     *readLimit
	known     witnesses
	greeted   atomic.Bool // the configured bucket has answered
}

// bodyAttempts is how often Get tries before it reports ErrStorage to a caller who can be patient for longer.
const bodyAttempts = 4

// NewStore returns a client for the store; nothing is sent yet. Objects of more than maxObject bytes are refused. The
// error wraps ErrConfig.
func NewStore(c S3Config, maxObject Bytes) (*Store, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" {
		return nil, fmt.Errorf("%w: s3.endpoint is %q; write it like http://localhost:9000", ErrConfig, c.Endpoint)
	}
	creds, err := c.credentials()
	if err != nil {
		return nil, err
	}
	secure := endpoint.Scheme == "https"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, fmt.Errorf("%w: s3: %w", ErrConfig, err)
	}
	// The default keeps 16 idle connections: with more readers in parallel each object would cost a new connection.
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 2*c.MaxParallel, 2*c.MaxParallel
	transport.DialContext = (&net.Dialer{Timeout: time.Duration(c.Timeout), KeepAlive: 15 * time.Second}).DialContext
	client, err := minio.NewCore(endpoint.Host, &minio.Options{
		Creds: creds, Secure: secure, Transport: plainAnswers{transport},
		Region:     c.Region, // else the client asks for it once per bucket
		MaxRetries: 1,        // it cannot retry a body; attempt does both
	})
	if err != nil {
		return nil, fmt.Errorf("%w: s3: %w", ErrConfig, err)
	}
	return &Store{
		client: client, creds: creds, bucket: c.Bucket, maxObject: int64(maxObject), grace: time.Duration(c.GoneGrace),
		timeout: time.Duration(c.Timeout), minRate: int64(c.MinRate), limit: newReadLimit(c.MinParallel, c.MaxParallel),
	}, nil
}

// observed makes the store's health known.
func (s *Store) observed(o readObserver, log *slog.Logger) *Store {
	s.limit.observer, s.limit.log = o, log
	return s
}

// Get reads the object of a reference: exactly its version when it names one, and only if the etag is the one that it
// names. sized, if not nil, is told the object's size before the body is read, and again only if a later attempt finds
// another size.
//
// It waits until the store can take one more read. A few attempts are made, whether the request or the body failed;
// while the store is sick they are not counted, as then no photo is to blame. An object that is not there, is not the
// right one or may not be read is tried until the grace is over, because an event may arrive before its object, or its
// object's rights, can be seen. The error is one of the sentinels of store_errors.go, or the reason why ctx ended.
func (s *Store) Get(ctx context.Context, ref Reference, sized func(bytes int64)) (Object, error) {
	told := int64(-1)
	tell := func(size int64) {
		if sized != nil && size != told {
			sized(size)
		}
		told = size
	}
	return s.patiently(ctx, ref, func(answered func()) (Object, error) { return s.attempt(ctx, ref, tell, answered) })
}

// patiently makes attempts until one succeeds or no other would.
func (s *Store) patiently(ctx context.Context, ref Reference, attempt func(answered func()) (Object, error)) (Object, error) {
	var missed time.Time
	failures, pause := 0, firstPause
	for {
		object, err := s.limited(ctx, attempt, failures == 0)
		switch {
		case err == nil:
			return object, nil
		case ctx.Err() != nil:
			return Object{}, context.Cause(ctx)
		case isAny(err, ErrObjectGone, ErrObjectChanged, ErrObjectDenied):
			if missed.IsZero() {
				missed = time.Now()
			}
			if time.Since(missed)+pause > s.grace {
				return Object{}, fmt.Errorf("get %s/%s: %w", ref.Bucket, ref.Key, err)
			}
		case isAny(err, ErrStorage, ErrStorageDenied) && (failures+1 < bodyAttempts || s.limit.isSick()):
			failures++
			missed = time.Time{} // what is said between two failures is not said for good
		default:
			return Object{}, fmt.Errorf("get %s/%s: %w", ref.Bucket, ref.Key, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return Object{}, err
		}
		pause = min(2*pause, time.Second)
	}
}

// limited makes one attempt when the store can take it, and tells the limit how it went.
func (s *Store) limited(ctx context.Context, attempt func(answered func()) (Object, error), first bool) (Object, error) {
	r, err := s.limit.acquire(ctx)
	if err != nil {
		return Object{}, err
	}
	object, err := attempt(r.answer)
	switch {
	case ctx.Err() != nil || isAny(err, ErrReference, ErrStorageConfig):
		r.drop()
	case isAny(err, ErrStorage, ErrStorageDenied):
		r.fail(failureReason(err), first, err)
	default:
		r.succeed()
	}
	return object, err
}

// attempt reads the object once.
func (s *Store) attempt(ctx context.Context, ref Reference, tell func(int64), answered func()) (Object, error) {
	ctx, p := s.pace(ctx)
	defer p.end()
	options := minio.GetObjectOptions{VersionID: ref.VersionID}
	if ref.ETag != "" {
		if err := options.SetMatchETag(ref.ETag); err != nil {
			return Object{}, fmt.Errorf("%w: etag: %w", ErrReference, err)
		}
	}
	body, info, header, err := s.client.GetObject(ctx, ref.Bucket, ref.Key, options)
	if err != nil {
		return Object{}, s.failure(ctx, ref, err)
	}
	defer body.Close()
	answered()
	object := Object{ETag: strings.Trim(info.ETag, `"`), VersionID: header.Get("x-amz-version-id"), Size: info.Size}
	switch {
	case object.Size > s.maxObject:
		return Object{}, fmt.Errorf("%w: it has %s, at most %s are read (photos.max_object_bytes)",
			ErrObjectTooBig, Bytes(object.Size), Bytes(s.maxObject))
	case object.ETag != "": // else the body may tell more than the etag
		if err := object.is(ref); err != nil { // a server that ignores If-Match
			return Object{}, err
		}
	}
	if header.Get("Content-Length") == "" { // a proxy that sends chunks
		object.Size = -1
	}
	if object.Data, err = s.read(p.of(body), object.Size, tell); err != nil {
		if errors.Is(err, ErrObjectTooBig) {
			return Object{}, err
		}
		return Object{}, s.failure(ctx, ref, fmt.Errorf("%w: %w", errCutBody, err))
	}
	if err := answerInBody(object); err != nil {
		return Object{}, s.failure(ctx, ref, err)
	}
	if err := object.is(ref); err != nil {
		return Object{}, err
	}
	object.Size = int64(len(object.Data))
	s.known.saw(ref)
	object.whole = func(ctx context.Context) error { return s.whole(ctx, ref, object) }
	return object, nil
}

// read reads a body of the given size, or one of unknown size (-1) for as long as it may be.
func (s *Store) read(body io.Reader, size int64, tell func(int64)) ([]byte, error) {
	if size >= 0 {
		tell(size)
		data := make([]byte, size)
		_, err := io.ReadFull(body, data)
		return data, err
	}
	tell(s.maxObject)
	data, err := io.ReadAll(io.LimitReader(body, s.maxObject+1))
	if err == nil && int64(len(data)) > s.maxObject {
		err = fmt.Errorf("%w: at most %s are read (photos.max_object_bytes)", ErrObjectTooBig, Bytes(s.maxObject))
	}
	return data, err
}
