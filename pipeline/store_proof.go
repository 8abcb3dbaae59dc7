package pipeline

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
)

// witnesses are objects that this process has read, the latest of each bucket. That one of them can be read at this
// moment is the proof that a refusal means the object that was asked for, and not everybody.
type witnesses struct {
	mu     sync.Mutex
	latest map[string]Reference
}

// maxWitnesses bounds the buckets that are remembered, whatever references name.
const maxWitnesses = 64

func (w *witnesses) saw(ref Reference) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.latest == nil {
		w.latest = make(map[string]Reference)
	}
	if _, known := w.latest[ref.Bucket]; known || len(w.latest) < maxWitnesses {
		w.latest[ref.Bucket] = Reference{Bucket: ref.Bucket, Key: ref.Key, VersionID: ref.VersionID}
	}
}

// of is the witness for a bucket or, if anywhere and there is none, one for any other.
func (w *witnesses) of(bucket string, anywhere bool) (Reference, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ref, ok := w.latest[bucket]
	if ok || !anywhere {
		return ref, ok
	}
	for _, other := range w.latest {
		return other, true
	}
	return Reference{}, false
}

func (w *witnesses) any() bool {
	_, ok := w.of("", true)
	return ok
}

// forget drops a witness that is no longer there.
func (w *witnesses) forget(ref Reference) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.latest[ref.Bucket] == ref {
		delete(w.latest, ref.Bucket)
	}
}

// proven says whether a refusal of this object means just this object. An object that was read before from the same bucket
// must be readable now. A bucket which is not the configured one, and from which nothing was ever read, is also refused for
// its own sake when the configured bucket answers, or an object of any other bucket does.
func (s *Store) proven(ctx context.Context, ref Reference) bool {
	_, known := s.known.of(ref.Bucket, false)
	foreign := ref.Bucket != s.bucket && !known
	witness, ok := s.known.of(ref.Bucket, foreign)
	if ok {
		_, err := s.client.StatObject(ctx, witness.Bucket, witness.Key, minio.StatObjectOptions{VersionID: witness.VersionID})
		if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
			s.known.forget(witness)
		}
		if err == nil {
			return true
		}
	}
	if !foreign || s.bucket == "" {
		return false
	}
	there, err := s.client.BucketExists(ctx, s.bucket)
	return err == nil && there
}

// errNotS3 is an answer that is not in S3's words: of an ingress without its store, a firewall, a captive portal. With
// errBareGone it was a 404.
var (
	errNotS3    = errors.New("answer is not a store's")
	errBareGone = errors.New("404 without a reason")
)

// plainAnswers turns refusals that no store has written into errors: the client would take them for the store's own.
type plainAnswers struct{ *http.Transport }

// RoundTrip is part of http.RoundTripper.
func (p plainAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.Transport.RoundTrip(r)
	if err != nil || r.Method != http.MethodGet {
		return resp, err
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
	default:
		return resp, nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	switch {
	case bytes.Contains(text, []byte("<Code>")):
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(text), resp.Body), resp.Body}
		return resp, nil
	case err == nil && (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone):
		err = errBareGone
	}
	resp.Body.Close()
	return nil, errors.Join(errNotS3, errors.New(resp.Status), err)
}

// is fails unless the object is the one that the reference names by its etag, if it does.
func (o Object) is(ref Reference) error {
	if ref.ETag == "" || o.ETag == ref.ETag {
		return nil
	}
	return fmt.Errorf("%w: its etag is %q, the reference says %q", ErrObjectChanged, o.ETag, ref.ETag)
}

// answerInBody finds an error that a store sent in place of a body, with status 200. An object always has an etag.
func answerInBody(object Object) error {
	if object.ETag != "" || len(object.Data) > 64<<10 || !bytes.Contains(object.Data, []byte("<Error>")) {
		return nil
	}
	var answer minio.ErrorResponse
	if err := xml.Unmarshal(object.Data, &answer); err == nil && answer.Code != "" {
		answer.StatusCode = http.StatusOK
		return answer
	}
	return nil
}

// blame is err, or the store's part in it: before a photo is buried for its bytes, they must be the store's. A proxy that
// lost half of a body and counted what was left has sent what looks like a photo that was cut.
func (o Object) blame(ctx context.Context, err error) error {
	if o.whole == nil || Judge(err) != DeadLetter {
		return err
	}
	if doubt := o.whole(ctx); doubt != nil {
		return doubt
	}
	return err
}

// whole fails unless an object has as many bytes as were read of it.
func (s *Store) whole(ctx context.Context, ref Reference, object Object) error {
	if sum := md5.Sum(object.Data); hex.EncodeToString(sum[:]) == object.ETag {
		return nil
	}
	ctx, p := s.pace(ctx)
	defer p.end()
	info, err := s.client.StatObject(ctx, ref.Bucket, ref.Key, minio.StatObjectOptions{VersionID: ref.VersionID})
	switch {
	case err != nil:
		return fmt.Errorf("look again at %s/%s: %w", ref.Bucket, ref.Key, s.failure(ctx, ref, err))
	case info.Size != object.Size && strings.Trim(info.ETag, `"`) == object.ETag:
		return fmt.Errorf("get %s/%s: %w: %w: %d of %d bytes came", ref.Bucket, ref.Key, ErrStorage, errCutBody, object.Size, info.Size)
	}
	return nil
}
