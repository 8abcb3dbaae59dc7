package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"planetag/pipeline/index"
)

// statements are what is written with, made once for a table.
type statements struct {
	held     string // ids → those that the table has, and their versions
	incoming string // makes the temporary table
	upsert   string // moves its rows into the table
}

// incoming is the temporary table of each connection that rows are copied into before they replace others.
const incoming = "planetag_incoming"

func (t *Table) statements() statements {
	var values, sets []string
	for _, c := range t.columns {
		values, sets = append(values, "r."+c.name), append(sets, c.name+" = excluded."+c.name)
	}
	list := strings.Join(t.names(), ", ")
	return statements{
		held: "SELECT photo_id, version FROM " + t.name + " WHERE photo_id = ANY($1)",
		incoming: fmt.Sprintf("CREATE TEMPORARY TABLE IF NOT EXISTS %s ON COMMIT DELETE ROWS AS SELECT %s, NULL::text AS %s FROM %s WITH NO DATA",
			incoming, list, shapeColumn, t.name),
		upsert: fmt.Sprintf(`INSERT INTO %s AS t (%s, %s) SELECT %s, ST_GeomFromGeoJSON(r.%s) FROM pg_temp.%s AS r ORDER BY r.photo_id COLLATE "C"
ON CONFLICT (photo_id) DO UPDATE SET %s, %[3]s = excluded.%[3]s WHERE excluded.version > t.version RETURNING photo_id`,
			t.name, list, shapeColumn, strings.Join(values, ", "), shapeColumn, incoming, strings.Join(sets, ", ")),
	}
}

// Write implements index.Sink. What the table has not got is copied into it, which is the fastest that PostgreSQL takes; the
// rest goes through the upsert, which alone decides where somebody else writes the same photos.
func (t *Table) Write(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	outcomes := make(map[string]index.Outcome, len(docs))
	err := t.write(ctx, docs, outcomes)
	switch {
	case err != nil && !bad(err):
		return nil, judged(err)
	case err != nil && len(docs) == 1:
		return []index.Outcome{{Result: index.Refused, Err: err}}, nil
	case err != nil:
		return t.halves(ctx, docs)
	}
	list := make([]index.Outcome, len(docs))
	for i, d := range docs {
		list[i] = outcomes[d.PhotoID]
	}
	return list, nil
}

func (t *Table) write(ctx context.Context, docs []*index.Document, outcomes map[string]index.Outcome) error {
	held, err := t.held(ctx, docs)
	if err != nil {
		return err
	}
	var first, others [][]any
	for _, d := range docs {
		version, has := held[d.PhotoID]
		if has && version >= d.Version() {
			outcomes[d.PhotoID] = index.Outcome{Result: index.Newer}
			continue
		}
		row, err := t.row(d)
		switch {
		case err != nil:
			outcomes[d.PhotoID] = index.Outcome{Result: index.Refused, Err: err}
		case has || d.Shape != nil:
			others = append(others, row)
		default:
			first = append(first, row)
		}
	}
	switch err := t.add(ctx, first); {
	case taken(err):
		t.strange.Store(0)
		others = append(others, first...)
	case err != nil:
		return err
	}
	return t.replace(ctx, others, outcomes)
}

// after is how many batches in a row hold only photos that the table has not got before the next one is no more looked up: an
// index that is filled is told new photos only, and each question costs a tenth of what the answer saves.
const after = 2

// held is what the table has of the photos, or nothing where it is not asked: the copying says so if that was wrong.
func (t *Table) held(ctx context.Context, docs []*index.Document) (map[string]int64, error) {
	if t.strange.Load() >= after {
		return nil, nil
	}
	held, err := t.versions(ctx, docs)
	switch {
	case err != nil:
		return nil, err
	case len(held) == 0:
		t.strange.Add(1)
	default:
		t.strange.Store(0)
	}
	return held, nil
}

// versions are those of the photos that the table has.
func (t *Table) versions(ctx context.Context, docs []*index.Document) (map[string]int64, error) {
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.PhotoID
	}
	rows, err := t.pool.Query(ctx, t.sql.held, ids)
	if err != nil {
		return nil, err
	}
	held := make(map[string]int64)
	var photoID string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&photoID, &version}, func() error { held[photoID] = version; return nil })
	return held, err
}

// add copies rows into the table. All writers go by the ids' bytes, here and in the upsert, so that two of the same photos wait
// for each other instead of locking each other out.
func (t *Table) add(ctx context.Context, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	names := t.names()
	_, err := t.pool.CopyFrom(ctx, strings.Split(t.name, "."), names, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return rows[i][:len(names)], nil }))
	return err
}

// names are those of the columns, without the shape's.
func (t *Table) names() []string {
	var names []string
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

// replace copies rows into the temporary table and lets the database decide about each of them, in one transaction.
func (t *Table) replace(ctx context.Context, rows [][]any, outcomes map[string]index.Outcome) error {
	if len(rows) == 0 {
		return nil
	}
	wrote := make(map[string]bool)
	err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, t.sql.incoming); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"pg_temp", incoming}, append(t.names(), shapeColumn), pgx.CopyFromRows(rows)); err != nil {
			return err
		}
		written, err := tx.Query(ctx, t.sql.upsert)
		if err != nil {
			return err
		}
		var photoID string
		_, err = pgx.ForEachRow(written, []any{&photoID}, func() error { wrote[photoID] = true; return nil })
		return err
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		if photoID := row[0].(string); !wrote[photoID] {
			outcomes[photoID] = index.Outcome{Result: index.Newer}
		}
	}
	return nil
}

// taken says that somebody else has written one of the photos since they were looked up.
func taken(err error) bool {
	var says *pgconn.PgError
	return errors.As(err, &says) && says.Code == "23505"
}

// bad says that the database refuses the data themselves: a data exception or a violated constraint.
func bad(err error) bool {
	var says *pgconn.PgError
	return errors.As(err, &says) && (strings.HasPrefix(says.Code, "22") || strings.HasPrefix(says.Code, "23"))
}

// halves finds the one that spoils the others.
func (t *Table) halves(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	first, err := t.Write(ctx, docs[:len(docs)/2])
	if err != nil {
		return nil, err
	}
	second, err := t.Write(ctx, docs[len(docs)/2:])
	return append(first, second...), err
}

// Standings implements index.Sink.
func (t *Table) Standings(ctx context.Context, photoIDs []string) (map[string]index.Standing, error) {
	photoIDs = slices.DeleteFunc(slices.Clone(photoIDs), func(id string) bool { return strings.Contains(id, "\x00") }) // no text has that here
	rows, err := t.pool.Query(ctx,
		"SELECT photo_id, deleted, coalesce(stage, ''), revision, record_partition, record_offset, version FROM "+t.name+" WHERE photo_id = ANY($1)", photoIDs)
	if err != nil {
		return nil, judged(err)
	}
	held := make(map[string]index.Standing)
	var photoID string
	var s index.Standing
	_, err = pgx.ForEachRow(rows, []any{&photoID, &s.Deleted, &s.Stage, &s.Revision, &s.Partition, &s.Offset, &s.Version},
		func() error { held[photoID] = s; return nil })
	return held, judged(err)
}
