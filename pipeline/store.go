package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
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
}

// Store reads objects from S3. Its methods may be called from many goroutines.
type Store struct {
	client    *minio.Core
	bucket    string // what the store says of it judges the configuration: see failure
	maxObject int64
	grace     time.Duration
	timeout   time.Duration
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
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 2*c.Parallel, 2*c.Parallel
	transport.MaxConnsPerHost = c.Parallel
	client, err := minio.NewCore(endpoint.Host, &minio.Options{
		Creds: creds, Secure: secure, Transport: transport,
		Region:     c.Region, // else the client asks for it once per bucket
		MaxRetries: 1,        // it cannot retry a body; attempt does both
	})
	if err != nil {
		return nil, fmt.Errorf("%w: s3: %w", ErrConfig, err)
	}
	return &Store{
		client: client, bucket: c.Bucket, maxObject: int64(maxObject),
		grace: time.Duration(c.GoneGrace), timeout: time.Duration(c.Timeout),
	}, nil
}

func (c S3Config) credentials() (*credentials.Credentials, error) {
	switch {
	case c.Anonymous:
		return credentials.NewStatic("", "", "", credentials.SignatureAnonymous), nil
	case c.AccessKey == "":
		return credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.FileAWSCredentials{},
			&credentials.FileMinioClient{}, &credentials.IAM{},
		}), nil
	}
	key, err := secret("s3.secret_key_file", c.SecretKey, c.SecretKeyFile)
	if err != nil {
		return nil, err
	}
	return credentials.NewStaticV4(c.AccessKey, key, ""), nil
}

// Get reads the object of a reference: exactly its version when it names one, and only if the etag is the one that it
// names. sized, if not nil, is told the object's size before the body is read, and again only if a later attempt finds
// another size.
//
// A few attempts are made, each within the time limit, whether the request or the body failed. An object that is not
// there is looked for until the grace is over, because an event may arrive before its object can be read. The error is
// one of the sentinels of store_errors.go, or the reason why ctx ended.
func (s *Store) Get(ctx context.Context, ref Reference, sized func(bytes int64)) (Object, error) {
	told := int64(-1)
	tell := func(size int64) {
		if sized != nil && size != told {
			sized(size)
		}
		told = size
	}
	started, failures, pause := time.Now(), 0, firstPause
	for {
		object, err := s.attempt(ctx, ref, tell)
		switch {
		case err == nil:
			return object, nil
		case ctx.Err() != nil:
			return Object{}, context.Cause(ctx)
		case errors.Is(err, ErrObjectGone) && time.Since(started)+pause <= s.grace:
		case errors.Is(err, ErrStorage) && failures+1 < bodyAttempts:
			failures++
		default:
			return Object{}, fmt.Errorf("get %s/%s: %w", ref.Bucket, ref.Key, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return Object{}, err
		}
		pause = min(2*pause, time.Second)
	}
}

// attempt reads the object once.
func (s *Store) attempt(ctx context.Context, ref Reference, tell func(int64)) (Object, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errAttemptTimeout)
	defer cancel()
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
	object := Object{ETag: strings.Trim(info.ETag, `"`), VersionID: header.Get("x-amz-version-id"), Size: info.Size}
	switch {
	case object.Size > s.maxObject:
		return Object{}, fmt.Errorf("%w: it has %s, at most %s are read (photos.max_object_bytes)",
			ErrObjectTooBig, Bytes(object.Size), Bytes(s.maxObject))
	case ref.ETag != "" && object.ETag != ref.ETag: // a server that ignores If-Match
		return Object{}, fmt.Errorf("%w: its etag is %s, the reference says %s", ErrObjectChanged, object.ETag, ref.ETag)
	}
	if header.Get("Content-Length") == "" { // a proxy that sends chunks
		object.Size = -1
	}
	if object.Data, err = s.read(body, object.Size, tell); err != nil {
		if errors.Is(err, ErrObjectTooBig) {
			return Object{}, err
		}
		return Object{}, s.failure(ctx, ref, fmt.Errorf("read body: %w", err))
	}
	object.Size = int64(len(object.Data))
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

// Put writes an object whole. It is for seeding and tools; the worker only reads.
func (s *Store) Put(ctx context.Context, bucket, key string, data []byte) error {
	// Signed as a whole: the client's default, a stream of signed chunks, has no form for 0 bytes that stores accept.
	sum := sha256.Sum256(data)
	_, err := s.client.PutObject(ctx, bucket, key, bytes.NewReader(data), int64(len(data)), "", hex.EncodeToString(sum[:]),
		minio.PutObjectOptions{DisableContentSha256: true})
	if err != nil {
		return fmt.Errorf("put %s/%s: %w", bucket, key, s.failure(ctx, Reference{Bucket: bucket, Key: key}, err))
	}
	return nil
}

// MakeBucket makes a bucket unless it is there already.
func (s *Store) MakeBucket(ctx context.Context, bucket string) error {
	err := s.client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{})
	switch minio.ToErrorResponse(err).Code {
	case "BucketAlreadyOwnedByYou", "BucketAlreadyExists":
		return nil
	}
	if err != nil {
		return fmt.Errorf("make bucket %s: %w", bucket, s.failure(ctx, Reference{Bucket: bucket}, err))
	}
	return nil
}

// Ping asks the store for a bucket, or with an empty name only whether it is there and accepts the credentials.
func (s *Store) Ping(ctx context.Context, bucket string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errAttemptTimeout)
	defer cancel()
	ref := Reference{Bucket: bucket}
	if bucket == "" {
		_, err := s.client.ListBuckets(ctx)
		if err == nil || minio.ToErrorResponse(err).Code == "AccessDenied" { // reading objects needs no right to list
			return nil
		}
		return fmt.Errorf("reach s3 at %s: %w", s.client.EndpointURL(), s.failure(ctx, ref, err))
	}
	there, err := s.client.BucketExists(ctx, bucket)
	switch {
	case err == nil && there:
		return nil
	case err == nil:
		err = minio.ErrorResponse{StatusCode: http.StatusNotFound, Code: "NoSuchBucket"}
	}
	return fmt.Errorf("reach bucket %s at %s: %w", bucket, s.client.EndpointURL(), s.failure(ctx, ref, err))
}
