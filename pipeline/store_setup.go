package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// credentials are where the store's keys come from.
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
	keys := configuredKeys{c}
	if _, err := keys.Retrieve(); err != nil {
		return nil, err
	}
	return credentials.New(keys), nil
}

// configuredKeys are the keys of the configuration. A key in a file is read again whenever the store refused the old one.
type configuredKeys struct{ S3Config }

// RetrieveWithCredContext is part of credentials.Provider.
func (k configuredKeys) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	return k.Retrieve()
}

// Retrieve is part of credentials.Provider.
func (k configuredKeys) Retrieve() (credentials.Value, error) {
	key, err := secret("s3.secret_key_file", k.SecretKey, k.SecretKeyFile)
	return credentials.Value{AccessKeyID: k.AccessKey, SecretAccessKey: key, SignerType: credentials.SignatureV4}, err
}

// IsExpired is part of credentials.Provider; the store knows better.
func (configuredKeys) IsExpired() bool { return false }

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

// Ping asks the store for a bucket, or with an empty name only whether it is there and accepts the credentials. Refusals
// are ErrStorageConfig even if the store worked before: whoever asks wants to know.
func (s *Store) Ping(ctx context.Context, bucket string) error {
	ctx, p := s.pace(ctx)
	defer p.end()
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
		if bucket == s.bucket {
			s.greeted.Store(true)
		}
		return nil
	case err == nil:
		err = minio.ErrorResponse{StatusCode: http.StatusNotFound, Code: "NoSuchBucket"}
	case minio.ToErrorResponse(err).StatusCode == http.StatusForbidden:
		err = s.refusal(ctx, bucket, err)
	}
	return fmt.Errorf("reach bucket %s at %s: %w", bucket, s.client.EndpointURL(), s.failure(ctx, ref, err))
}

// refusal is why the store refuses a bucket. The answer to a HEAD has no body, so a wrong key and a right that is missing
// look the same in it; the list needs the same right and says which it is.
func (s *Store) refusal(ctx context.Context, bucket string, head error) error {
	for object := range s.client.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{MaxKeys: 1}) {
		if object.Err != nil {
			return object.Err
		}
		break
	}
	return head
}
