package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planetag/pipeline"
)

// benchDocuments is how many documents are written, each once, by as many writers as the topic has partitions.
const (
	benchDocuments = 100_000
	benchBatch     = 1000
	benchWriters   = 3
)

// TestThroughput prints what `planetag index` writes a second, and what the server takes of ready-made requests without any
// versions to compare: bulk requests, and COPY. Rounds alternate, because a machine is not always equally fast.
func TestThroughput(t *testing.T) {
	if os.Getenv("BENCH_INDEX") == "" {
		t.Skip("`make bench-index` runs this")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	w := newWorld(t)
	for i := range benchDocuments {
		w.sent = append(w.sent, located(t, fmt.Sprintf("photos/%06d.jpg", i), float64(i%170)-85, float64(i%340)-170, nil))
	}
	if err := w.client.Publish(ctx, w.sent); err != nil {
		t.Fatal(err)
	}
	w.cfg.Index.BatchBytes = 4 << 20
	for _, to := range targets(t) {
		if only := os.Getenv("BENCH_INDEX"); only != "1" && only != to.name() {
			continue
		}
		var indexed, ceiling []float64
		for round := range 4 {
			began := time.Now()
			f := fill(ctx, t, anew(to, fmt.Sprintf("indexed_%d", round)), w.cfg)
			indexed = append(indexed, float64(f.Written)/time.Since(began).Seconds())
			ceiling = append(ceiling, atMost(ctx, t, anew(to, fmt.Sprintf("indexed_%d", round)), anew(to, fmt.Sprintf("ceiling_%d", round))))
		}
		var shares []float64
		for i := range indexed[1:] { // the first round warms the server up
			shares = append(shares, indexed[i+1]/ceiling[i+1])
		}
		slices.Sort(shares)
		t.Logf("%s: indexed from Kafka %.0f documents/s, ready-made %.0f documents/s, median of the rounds' shares %.0f %%",
			to.name(), indexed, ceiling, 100*shares[len(shares)/2])
	}
}

// atMost writes the documents of one index into another, new one, from memory.
func atMost(ctx context.Context, t *testing.T, from, into target) float64 {
	t.Helper()
	var batches []func() error
	switch to := into.(type) {
	case *searchServer:
		batches = to.readyMade(ctx, t, from.(*searchServer))
	case *database:
		batches = to.readyMade(ctx, t, from.(*database))
	}
	var next atomic.Int64
	var writers sync.WaitGroup
	began := time.Now()
	for range benchWriters {
		writers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(batches); i = next.Add(1) - 1 {
				if err := batches[i](); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	return benchDocuments / time.Since(began).Seconds()
}

// readyMade are bulk requests without versions.
func (s *searchServer) readyMade(ctx context.Context, t *testing.T, from *searchServer) (batches []func() error) {
	s.request(ctx, t, http.MethodPut, "/"+s.in, read(t, "opensearch/index.json"), nil)
	from.request(ctx, t, http.MethodPost, "/"+from.in+"/_refresh", nil, nil)
	var body bytes.Buffer
	lines, after := 0, ""
	for {
		var got struct {
			Hits struct {
				Hits []struct {
					ID     string          `json:"_id"`
					Source json.RawMessage `json:"_source"`
					Sort   json.RawMessage `json:"sort"`
				} `json:"hits"`
			} `json:"hits"`
		}
		from.request(ctx, t, http.MethodPost, "/"+from.in+"/_search", fmt.Appendf(nil, `{"size": 5000, "sort": [{"photo_id": "asc"}]%s}`, after), &got)
		for _, hit := range got.Hits.Hits {
			fmt.Fprintf(&body, "{\"index\":{\"_index\":%q,\"_id\":%q}}\n%s\n", s.in, hit.ID, hit.Source)
			after = fmt.Sprintf(`, "search_after": %s`, hit.Sort)
			if lines++; lines%benchBatch == 0 {
				text := bytes.Clone(body.Bytes())
				body.Reset()
				batches = append(batches, func() error { return s.post(ctx, text) })
			}
		}
		if len(got.Hits.Hits) == 0 {
			return batches
		}
	}
}

func (s *searchServer) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/_bulk", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var says struct {
		Errors bool `json:"errors"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&says); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	if says.Errors {
		return errors.New("bulk: some documents were refused")
	}
	return nil
}

// readyMade are COPYs into the same table, indexes and all.
func (d *database) readyMade(ctx context.Context, t *testing.T, from *database) (batches []func() error) {
	d.open(ctx, t, pipeline.DefaultConfig())
	var columns []string
	d.query(ctx, t, "SELECT column_name FROM information_schema.columns WHERE table_name = '"+d.table+"' AND is_generated = 'NEVER' ORDER BY ordinal_position",
		func(rows pgx.Rows) error {
			values, err := rows.Values()
			columns = append(columns, fmt.Sprint(values[0]))
			return err
		})
	var all [][]any
	list := "\"" + strings.Join(columns, "\", \"") + "\""
	d.query(ctx, t, "SELECT "+list+" FROM "+from.table, func(rows pgx.Rows) error {
		values, err := rows.Values()
		all = append(all, values)
		return err
	})
	pool, err := pgxpool.New(ctx, d.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	for ; len(all) >= benchBatch; all = all[benchBatch:] {
		rows := all[:benchBatch]
		batches = append(batches, func() error {
			_, err := pool.CopyFrom(ctx, pgx.Identifier{d.table}, columns, pgx.CopyFromRows(rows))
			return err
		})
	}
	return batches
}
