package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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

	"planetag/consumer"
	"planetag/pipeline"
	"planetag/pipeline/index"
)

// benchDocuments is how many documents are written, each once, by as many writers as the topic has partitions. benchBatch is
// about what index.batch_bytes comes to with them.
const (
	benchDocuments = 100_000
	benchBatch     = 1500
	benchWriters   = 3
	benchRounds    = 4
)

// TestThroughput prints what `planetag index` writes a second, and what the server takes of ready-made requests: of documents
// that are new, bulk requests without versions and COPY; of documents that replace others, bulk requests again, and the
// database's own upsert of rows that it holds already. Rounds alternate, because a machine is not always equally fast.
func TestThroughput(t *testing.T) {
	only := os.Getenv("BENCH_INDEX")
	if only == "" {
		t.Skip("`make bench-index` runs this")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	w := newWorld(t)
	w.cfg.Index.BatchBytes = 4 << 20
	newer := w.cfg
	newer.Topics.Locations = "planetag.locations.newer"
	w.bench(ctx, t, w.cfg.Topics.Locations, 1000)
	w.bench(ctx, t, newer.Topics.Locations, 2000)
	for _, to := range targets(t) {
		if only != "1" && only != to.name() {
			continue
		}
		var first, again rates
		for round := range benchRounds {
			into, ceiling := anew(to, fmt.Sprintf("indexed_%d", round)), anew(to, fmt.Sprintf("ceiling_%d", round))
			indexed := measured(ctx, t, into, w.cfg)
			add, replace := readyMade(ctx, t, into, ceiling)
			first.note(round, indexed, atMost(t, add))
			indexed = measured(ctx, t, into, newer)
			again.note(round, indexed, atMost(t, replace(ctx, t)))
		}
		t.Logf("%s, new documents: %s", to.name(), first)
		t.Logf("%s, documents that replace others: %s", to.name(), again)
	}
}

// bench publishes all documents in one revision.
func (w *world) bench(ctx context.Context, t *testing.T, topic string, revision int64) {
	t.Helper()
	records := make([]consumer.Record, benchDocuments)
	for i := range records {
		records[i] = located(t, fmt.Sprintf("photos/%06d.jpg", i), float64(i%170)-85, float64(i%340)-170, func(l *pipeline.Location) { l.Revision = revision })
		records[i].Topic = topic
	}
	err := w.client.EnsureTopics(ctx, []consumer.Topic{{Name: topic, Partitions: benchWriters, Replication: 1}}, true)
	if err == nil {
		err = w.client.Publish(ctx, records)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rates are documents a second, round by round.
type rates struct{ indexed, ceiling []float64 }

// note leaves out the first round, which warms the server up.
func (r *rates) note(round int, indexed, ceiling float64) {
	if round > 0 {
		r.indexed, r.ceiling = append(r.indexed, indexed), append(r.ceiling, ceiling)
	}
}

func (r rates) String() string {
	shares := make([]float64, len(r.indexed))
	for i := range shares {
		shares[i] = r.indexed[i] / r.ceiling[i]
	}
	slices.Sort(shares)
	return fmt.Sprintf("indexed from Kafka %.0f documents/s, ready-made %.0f documents/s, median of the rounds' shares %.0f %%",
		r.indexed, r.ceiling, 100*shares[len(shares)/2])
}

// timed is a sink that knows when the first request began and the last one ended: the joining of the group before it is no
// throughput.
type timed struct {
	index.Sink

	mu          sync.Mutex
	first, last time.Time
}

func (s *timed) Write(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	s.mu.Lock()
	if s.first.IsZero() {
		s.first = time.Now()
	}
	s.mu.Unlock()
	outcomes, err := s.Sink.Write(ctx, docs)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	return outcomes, err
}

// measured is how many documents a second the indexer writes.
func measured(ctx context.Context, t *testing.T, to target, cfg pipeline.Config) float64 {
	t.Helper()
	sink := &timed{Sink: to.open(ctx, t, cfg)}
	f, err := index.Run(ctx, index.Options{
		Config: cfg, Sink: sink, Target: to.name() + to.index(), Once: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil || f.Written != benchDocuments {
		t.Fatalf("index into %s: %v, %+v", to.name(), err, f)
	}
	return benchDocuments / sink.last.Sub(sink.first).Seconds()
}

// readyMade are requests that write the documents of one index into another, new one, and then those that replace them.
func readyMade(ctx context.Context, t *testing.T, from, into target) (add []func() error, replace func(context.Context, *testing.T) []func() error) {
	t.Helper()
	switch to := into.(type) {
	case *searchServer:
		add = to.readyMade(ctx, t, from.(*searchServer))
		replace = func(context.Context, *testing.T) []func() error { return add }
	case *database:
		add, replace = to.readyMade(ctx, t, from.(*database)), to.upserts
	}
	return add, replace
}

// atMost is how many documents a second the server takes.
func atMost(t *testing.T, batches []func() error) float64 {
	t.Helper()
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
	flush := func() {
		text := bytes.Clone(body.Bytes())
		body.Reset()
		batches = append(batches, func() error { return s.post(ctx, text) })
	}
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
			if lines++; lines%benchBatch == 0 || lines == benchDocuments {
				flush()
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
	answer, err := s.do(req)
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
	columns := d.columns(ctx, t)
	var all [][]any
	d.query(ctx, t, "SELECT "+strings.Join(columns, ", ")+" FROM "+from.table, func(rows pgx.Rows) error {
		values, err := rows.Values()
		all = append(all, values)
		return err
	})
	pool := d.pool(ctx, t)
	for rows := range slices.Chunk(all, benchBatch) {
		batches = append(batches, func() error {
			_, err := pool.CopyFrom(ctx, pgx.Identifier{d.table}, columns, pgx.CopyFromRows(rows))
			return err
		})
	}
	return batches
}

// upserts are the database's own, of rows that lie in a table beside it.
func (d *database) upserts(ctx context.Context, t *testing.T) (batches []func() error) {
	columns := d.columns(ctx, t)
	list := strings.Join(columns, ", ")
	pool := d.pool(ctx, t)
	var sets []string
	for _, c := range columns {
		sets = append(sets, c+" = excluded."+c)
	}
	ready := d.table + "_ready"
	for _, sql := range []string{
		fmt.Sprintf("CREATE UNLOGGED TABLE %s AS SELECT row_number() OVER (ORDER BY record_partition, record_offset) / %d AS batch, %s FROM %s", ready, benchBatch, list, d.table),
		fmt.Sprintf("UPDATE %s SET version = version + 1", ready), fmt.Sprintf("CREATE INDEX ON %s (batch)", ready), "ANALYZE " + ready,
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	upsert := fmt.Sprintf("INSERT INTO %s AS t (%s) SELECT %s FROM %s WHERE batch = $1 ORDER BY photo_id ON CONFLICT (photo_id) DO UPDATE SET %s WHERE excluded.version > t.version",
		d.table, list, list, ready, strings.Join(sets, ", "))
	for i := range benchDocuments/benchBatch + 1 {
		batches = append(batches, func() error {
			_, err := pool.Exec(ctx, upsert, i)
			return err
		})
	}
	return batches
}

// columns are those that are written.
func (d *database) columns(ctx context.Context, t *testing.T) (names []string) {
	t.Helper()
	d.query(ctx, t, "SELECT column_name FROM information_schema.columns WHERE table_name = '"+d.table+"' AND is_generated = 'NEVER' ORDER BY ordinal_position",
		func(rows pgx.Rows) error {
			values, err := rows.Values()
			names = append(names, fmt.Sprint(values[0]))
			return err
		})
	return names
}

func (d *database) pool(ctx context.Context, t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(ctx, d.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
