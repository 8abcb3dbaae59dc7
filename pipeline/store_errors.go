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
	ErrObjectChanged = errors.New("object has changed")   // another etag than the reference names, even after the grace
	ErrObjectDenied  = errors.New("object is denied")     // this one, while others can be read at the same time
	ErrStorage       = errors.New("storage trouble")      // anything that may heal by itself
	ErrStorageDenied = errors.New("storage denies all")   // keys, rights or bucket: heals when somebody sets it right
	ErrStorageConfig = errors.New("storage is set wrong") // the same, and nothing could be read so far
)

// What ErrStorage is wrapped with, for the metric: see failureReason.
var (
	errAttemptTimeout = errors.New("no answer in time")
	errSlowBody       = errors.New("body comes too slowly")
	errCutBody        = errors.New("read body")
	errThrottled      = errors.New("store asks to slow down")
	errServer         = errors.New("store has failed")
)

// failureReason is one word for a failure that may heal, the label of a metric.
func failureReason(err error) string {
	for _, r := range failureReasons() {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return reasonConnection
}

const reasonConnection = "connection"

func failureReasons() []sentinelWord {
	return []sentinelWord{
		{ErrStorageDenied, "denied"},
		{errAttemptTimeout, "timeout"},
		{errSlowBody, "slow_body"},
		{errCutBody, "cut_body"},
		{errThrottled, "throttled"},
		{errServer, "server_error"},
	}
}

// failure turns what went wrong with a request into one of the sentinels. The cause is kept as text only: whether a
// connection was reset or a time-out struck is for people, and a context error in the chain would be taken for the
// caller's own end.
//
//	what the store says                            becomes
//	NoSuchKey, NoSuchVersion, a delete marker      ErrObjectGone
//	NoSuchBucket of s3.bucket                      refused
//	NoSuchBucket of another                        ErrObjectGone if proven, else ErrStorageDenied
//	412 PreconditionFailed                         ErrObjectChanged
//	400 with a version id in the request           ErrObjectGone: no such version can exist
//	bucket or key that cannot exist                ErrReference
//	403 InvalidObjectState (archived)              ErrObjectDenied
//	ExpiredToken, RequestTimeTooSkewed, …          ErrStorageDenied
//	InvalidAccessKeyId, SignatureDoesNotMatch      refused
//	another region                                 ErrObjectDenied if proven, else refused
//	403 AccessDenied                               ErrObjectDenied if proven, else refused
//	https spoken to http, unknown authority        refused
//	404, 403 and the like, but not in S3's words   as in S3's words if proven, else ErrStorage
//	503 SlowDown, 5xx, 429, resets, time-outs,     ErrStorage
//	truncated bodies and anything else
//
// Proven means that something else can be read at this moment: see Store.proven. So a photo is only buried while the
// store is seen to work; keys that expire, rights that are lost and a proxy that lost its store look the same for one
// photo, but then nothing else can be read either, and everything waits. Refused is ErrStorageConfig, which ends the
// worker, until its bucket or an object could be read, and ErrStorageDenied from then on: what once worked can work again.
func (s *Store) failure(ctx context.Context, ref Reference, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errAttemptTimeout):
		return fmt.Errorf("%w: %w within %s", ErrStorage, errAttemptTimeout, s.timeout)
	case errors.Is(cause, errSlowBody):
		return fmt.Errorf("%w: %w: less than %s a second for %s (s3.min_rate, s3.timeout)", ErrStorage, errSlowBody, Bytes(s.minRate), s.timeout)
	}
	answer := minio.ToErrorResponse(err)
	switch answer.Code {
	case minio.NoSuchKey, "NoSuchVersion":
		return fmt.Errorf("%w: %s", ErrObjectGone, answerText(answer))
	case minio.NoSuchBucket:
		return s.noBucket(ctx, ref)
	case minio.PreconditionFailed:
		return fmt.Errorf("%w since its event", ErrObjectChanged)
	case minio.InvalidBucketName, minio.XMinioInvalidObjectName, "KeyTooLongError":
		return fmt.Errorf("%w: %s", ErrReference, answerText(answer))
	case minio.InvalidArgument:
		if ref.VersionID != "" {
			return fmt.Errorf("%w: version %s cannot exist", ErrObjectGone, ref.VersionID)
		}
	case "MethodNotAllowed": // a GET of a delete marker by its version
		if ref.VersionID != "" {
			return fmt.Errorf("%w: version %s is a delete marker", ErrObjectGone, ref.VersionID)
		}
	case "InvalidObjectState":
		return fmt.Errorf("%w: it is archived and must be restored first", ErrObjectDenied)
	case minio.AccessDenied:
		return s.denied(ctx, ref, answer)
	}
	if err := s.unauthorised(ctx, ref, answer); err != nil {
		return err
	}
	return s.trouble(ctx, ref, err)
}

// unauthorised judges what a store says of keys, clocks and regions; nil if it said nothing of the kind.
func (s *Store) unauthorised(ctx context.Context, ref Reference, answer minio.ErrorResponse) error {
	const check = "; check s3.access_key, s3.secret_key and s3.region"
	switch answer.Code {
	case "ExpiredToken", "TokenRefreshRequired", "InvalidToken", "RequestExpired":
		s.creds.Expire()
		return fmt.Errorf("%w: %s", ErrStorageDenied, answerText(answer))
	case "RequestTimeTooSkewed":
		return fmt.Errorf("%w: %s; check this machine's clock", ErrStorageDenied, answerText(answer))
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		s.creds.Expire()
		return s.refused(true, answerText(answer)+check)
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		if ref.Bucket != s.bucket && s.proven(ctx, ref) {
			return fmt.Errorf("%w: its bucket is in another region: %s", ErrObjectDenied, answerText(answer))
		}
		return s.refused(ref.Bucket == s.bucket, answerText(answer)+check)
	}
	return nil
}

// refused is a refusal that no photo is to blame for. It may stop the worker if it says something about the configuration,
// not just about a bucket that only a reference names.
func (s *Store) refused(mayStop bool, text string) error {
	if mayStop && !s.worked() {
		return fmt.Errorf("%w: %s", ErrStorageConfig, text)
	}
	return fmt.Errorf("%w: %s", ErrStorageDenied, text)
}

// worked says whether the configuration has been seen to be right.
func (s *Store) worked() bool { return s.greeted.Load() || s.known.any() }

func (s *Store) noBucket(ctx context.Context, ref Reference) error {
	text := fmt.Sprintf("bucket %s does not exist", ref.Bucket)
	switch {
	case ref.Bucket == s.bucket && ref.Key == "":
		return fmt.Errorf("%w: %s", ErrStorageConfig, text)
	case ref.Bucket == s.bucket:
		return s.refused(true, text)
	case ref.Key == "" || s.proven(ctx, ref):
		return fmt.Errorf("%w: %s", ErrObjectGone, text)
	}
	return fmt.Errorf("%w: %s, and nothing else can be read", ErrStorageDenied, text)
}

// denied tells a door that is locked for one object from a key that fits no door. Without the right to list, a store
// answers AccessDenied for objects that do not exist, too; then the two cannot be told apart.
func (s *Store) denied(ctx context.Context, ref Reference, answer minio.ErrorResponse) error {
	text := fmt.Sprintf("%s; allow s3:GetObject and s3:ListBucket on %s", answerText(answer), ref.Bucket)
	if ref.Key == "" {
		return fmt.Errorf("%w: %s", ErrStorageConfig, text)
	}
	if s.proven(ctx, ref) {
		return fmt.Errorf("%w: %s", ErrObjectDenied, answerText(answer))
	}
	s.creds.Expire()
	if ref.Bucket != s.bucket || s.worked() {
		return s.refused(false, text)
	}
	_, err := s.client.BucketExists(ctx, ref.Bucket)
	return s.refused(minio.ToErrorResponse(err).StatusCode == http.StatusForbidden, text)
}

// trouble is what S3 has no word for.
func (s *Store) trouble(ctx context.Context, ref Reference, err error) error {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	answer := minio.ToErrorResponse(err)
	status := answer.StatusCode
	switch {
	case errors.As(err, &authority), errors.As(err, &host),
		strings.Contains(err.Error(), http.ErrSchemeMismatch.Error()), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return s.refused(true, err.Error()+"; check s3.endpoint")
	case errors.Is(err, errCutBody):
		return fmt.Errorf("%w: %w: %s", ErrStorage, errCutBody, strings.TrimPrefix(err.Error(), errCutBody.Error()+": "))
	case errors.Is(err, errBareGone) && s.proven(ctx, ref):
		return fmt.Errorf("%w: 404 without a reason", ErrObjectGone)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable, answer.Code == "SlowDown":
		return fmt.Errorf("%w: %w: %s", ErrStorage, errThrottled, answerText(answer))
	case status >= 500, status == http.StatusRequestTimeout, status < 300 && answer.Code == "InternalError":
		return fmt.Errorf("%w: %w: %s", ErrStorage, errServer, answerText(answer))
	case status >= 400 && ref.Key != "" && s.proven(ctx, ref):
		return fmt.Errorf("%w: %s", ErrObjectDenied, answerText(answer))
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return s.refused(false, answerText(answer))
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
