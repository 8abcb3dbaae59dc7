package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// ready waits until the worker in this process says that it is, and returns its metrics page. The worker's own page is
// asked, as an operator would: what the checklist ticks is what the worker says of itself.
func (s *show) ready(ctx context.Context) (scrape, error) {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return scrape{}, context.Cause(ctx)
		case <-poll.C:
		}
		// Until the worker listens, the connection is refused; that is not an error but the wait.
		response, err := s.get(ctx, "/ready")
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return s.metrics(ctx)
		}
	}
}

// metrics reads the worker's metrics page.
func (s *show) metrics(ctx context.Context) (scrape, error) {
	response, err := s.get(ctx, "/metrics")
	if err != nil {
		return scrape{}, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	return readMetrics(response.Body)
}

func (s *show) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Config.HTTP.Listen+path, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request)
}
