package pipeline

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// What reading an object can end in, beside success and the end of a context.
var (
	ErrObjectGone    = errors.New("object is gone")       // not there, even after the grace
	ErrObjectTooBig  = errors.New("object is too big")    // refused before its body was read
	ErrObjectChanged = errors.New("object has changed")   // another etag than the reference names
	ErrObjectDenied  = errors.New("object is denied")     // this one, while its bucket can be read
	ErrStorage       = errors.New("storage trouble")      // anything that may heal
	ErrStorageConfig = errors.New("storage is set wrong") // endpoint, credentials or bucket: no object can be read
)

// errAttemptTimeout is the cause of an attempt's own end, to tell it from the end of its caller.
var errAttemptTimeout = errors.New("no answer in time")

// failure turns what went wrong with a request into one of the sentinels. The cause is kept as text only: whether a
// connection was reset or a time-out struck is for people, and a context error in the chain would be taken for the
// caller's own end.
//
//	what S3 says                                   becomes
//	NoSuchKey, NoSuchVersion, a delete marker      ErrObjectGone
//	NoSuchBucket                                   ErrStorageConfig for s3.bucket, else ErrObjectGone
//	412 PreconditionFailed                         ErrObjectChanged
//	400 with a version id in the request           ErrObjectGone: no such version can exist
//	bucket or key that cannot exist                ErrReference
//	InvalidAccessKeyId, SignatureDoesNotMatch, …   ErrStorageConfig
//	403 AccessDenied                               ErrObjectDenied when the bucket itself can be read, or when only the
//	                                               reference names that bucket; else ErrStorageConfig
//	403 InvalidObjectState (archived)              ErrObjectDenied
//	https spoken to http, unknown authority        ErrStorageConfig
//	503 SlowDown, 5xx, 429, resets, time-outs,     ErrStorage
//	truncated bodies and anything else
//
// So what the store says of the configured bucket judges the configuration, and what it says of a bucket that only a
// reference names judges that reference: one bad reference cannot stop a worker, and one wrong setting cannot turn a
// whole topic into dead letters.
func (s *Store) failure(ctx context.Context, ref Reference, err error) error {
	if errors.Is(context.Cause(ctx), errAttemptTimeout) {
		return fmt.Errorf("%w: %w within %s", ErrStorage, errAttemptTimeout, s.timeout)
	}
	answer := minio.ToErrorResponse(err)
	switch answer.Code {
	case minio.NoSuchKey, "NoSuchVersion":
		return fmt.Errorf("%w: %s", ErrObjectGone, answerText(answer))
	case minio.NoSuchBucket:
		if ref.Bucket == s.bucket {
			return fmt.Errorf("%w: bucket %s does not exist", ErrStorageConfig, ref.Bucket)
		}
		return fmt.Errorf("%w: bucket %s does not exist", ErrObjectGone, ref.Bucket)
	case minio.PreconditionFailed:
		return fmt.Errorf("%w since its event", ErrObjectChanged)
	case minio.InvalidBucketName, minio.XMinioInvalidObjectName, "KeyTooLongError":
		return fmt.Errorf("%w: %s", ErrReference, answerText(answer))
	case minio.InvalidArgument:
		if ref.VersionID != "" {
			return fmt.Errorf("%w: version %s cannot exist", ErrObjectGone, ref.VersionID)
		}
	case "MethodNotAllowed": // a GET of a delete marker by its version
		return fmt.Errorf("%w: version %s is a delete marker", ErrObjectGone, ref.VersionID)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect":
		return fmt.Errorf("%w: %s; check s3.access_key, s3.secret_key and s3.region", ErrStorageConfig, answerText(answer))
	case "InvalidObjectState":
		return fmt.Errorf("%w: it is archived and must be restored first", ErrObjectDenied)
	case minio.AccessDenied:
		return s.denied(ctx, ref, answer)
	}
	return s.trouble(err)
}

// denied tells a door that is locked for one object from a key that fits no door. Without the right to list, a store
// answers AccessDenied for objects that do not exist, too; then the two cannot be told apart.
func (s *Store) denied(ctx context.Context, ref Reference, answer minio.ErrorResponse) error {
	if ref.Key != "" && ref.Bucket != s.bucket {
		return fmt.Errorf("%w: %s", ErrObjectDenied, answerText(answer))
	}
	if readable, err := s.client.BucketExists(ctx, ref.Bucket); ref.Key != "" && err == nil && readable {
		return fmt.Errorf("%w: %s", ErrObjectDenied, answerText(answer))
	}
	return fmt.Errorf("%w: %s; allow s3:GetObject and s3:ListBucket on %s", ErrStorageConfig, answerText(answer), ref.Bucket)
}

// trouble is what S3 gave no code for.
func (s *Store) trouble(err error) error {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch answer := minio.ToErrorResponse(err); {
	case errors.As(err, &authority), errors.As(err, &host),
		strings.Contains(err.Error(), http.ErrSchemeMismatch.Error()), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return fmt.Errorf("%w: %s; check s3.endpoint", ErrStorageConfig, err.Error())
	case answer.StatusCode == http.StatusNotFound: // HEAD and some proxies give no code
		return fmt.Errorf("%w: 404 without a reason", ErrObjectGone)
	}
	return fmt.Errorf("%w: %s", ErrStorage, err.Error())
}

// answerText is the store's answer for a person.
func answerText(answer minio.ErrorResponse) string {
	if answer.Message == "" {
		return answer.Code
	}
	return answer.Code + ": " + strings.TrimSuffix(answer.Message, ".")
}
