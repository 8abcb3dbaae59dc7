package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planetag/pipeline"
)

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
