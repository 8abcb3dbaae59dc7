package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/opensearch-project/opensearch-go/v4"

	"planetag/pipeline"
)

// ErrUnavailable says that the server was not reached or cannot answer now.
var ErrUnavailable = errors.New("search index not available")

// Index is one index of one cluster, an index.Sink.
type Index struct {
	client *opensearch.Client
	name   string
	shapes bool // are written
	stop   context.CancelFunc
}

// requestTimeout bounds one request: a bulk of a few megabytes on a busy cluster.
const requestTimeout = time.Minute

// Open connects and compares the index with the design. With create it first makes what is missing: a template of the
// index's name, and the index. The error wraps pipeline.ErrConfig where somebody has to change something.
func Open(ctx context.Context, conf pipeline.IndexConfig, create bool) (*Index, error) {
	c := conf.OpenSearch
	password, key, err := c.Secrets()
	if err != nil {
		return nil, err
	}
	secure, err := c.Transport()
	if err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if secure != nil {
		transport.TLSClientConfig = secure
	}
	header := http.Header{}
	if key != "" {
		header.Set("Authorization", "ApiKey "+key)
	}
	// It is asked again by whoever knows what a repetition means; the client's own would hide how long that takes.
	client, err := opensearch.NewClient(opensearch.Config{
		Addresses: c.Addresses, Username: c.Username, Password: password, Header: header, Transport: transport,
		DisableRetry: true, RequestTimeout: requestTimeout, HealthCheckMaxRetries: -1, MaxRetryClusterHealth: -1, Context: background,
	})
	if err != nil {
		stop()
		return nil, fmt.Errorf("%w: index.opensearch: %w", pipeline.ErrConfig, err)
	}
	x := &Index{client: client, name: c.Index, shapes: conf.Shape != "none", stop: stop}
	if err := x.prepare(ctx, create); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// Close drops the connections.
func (x *Index) Close() {
	_ = x.client.Close() // nothing is on its way any more
	x.stop()
}

// call makes one request, with a body of JSON or of lines of JSON, and decodes the answer into out unless it is nil. The
// status is returned where the server gave one; 2xx and 404 are no errors.
func (x *Index) call(ctx context.Context, method, path string, body []byte, out any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if path == bulkPath {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	answer, err := x.client.Stream(req)
	if err != nil {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return 0, fmt.Errorf("%w: %s %s: %w", ErrUnavailable, method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return answer.StatusCode, fmt.Errorf("%w: read the answer of %s %s: %w", ErrUnavailable, method, path, err)
	}
	if err := refusal(answer.StatusCode, text); err != nil {
		return answer.StatusCode, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if out == nil || answer.StatusCode == http.StatusNotFound {
		return answer.StatusCode, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return answer.StatusCode, fmt.Errorf("%w: decode the answer of %s %s: %w", ErrUnavailable, method, path, err)
	}
	return answer.StatusCode, nil
}

// refusal is the error of a status, nil for success and for what was not found.
func refusal(status int, text []byte) error {
	const shown = 500
	reason := fmt.Sprintf("status %d: %s", status, text[:min(len(text), shown)])
	switch {
	case status < 300 || status == http.StatusNotFound:
		return nil
	case status == http.StatusUnauthorized:
		return fmt.Errorf("%w: index.opensearch: the user, password or API key is not accepted: %s", pipeline.ErrConfig, reason)
	case status == http.StatusForbidden:
		return fmt.Errorf("%w: index.opensearch: a right is missing; docs/search.md lists them: %s", pipeline.ErrConfig, reason)
	case status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("%w: %s", ErrUnavailable, reason)
	}
	return errors.New(reason)
}
