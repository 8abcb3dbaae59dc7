package postgis

import (
	"context"
	_ "embed" // the design
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"planetag/pipeline"
)

//go:embed schema.sql
var schema string

// tableOfDesign is the table's name in schema.sql.
const tableOfDesign = "planetag_locations"

// Design is the SQL that makes the table under another name; deploy/search has a copy to be changed.
func Design(table string) string {
	design := schema
	if bare := table[strings.LastIndexByte(table, '.')+1:]; bare != table { // an index lives in its table's schema, and is named without it
		design = strings.ReplaceAll(design, "EXISTS "+tableOfDesign+"_", "EXISTS "+bare+"_")
	} else {
		design = strings.ReplaceAll(design, "EXISTS "+tableOfDesign+"_", "EXISTS "+table+"_")
	}
	design = strings.ReplaceAll(design, "EXISTS "+tableOfDesign+" ", "EXISTS "+table+" ")
	return strings.ReplaceAll(design, "ON "+tableOfDesign, "ON "+table)
}

// Table is one table of one database, an index.Sink.
type Table struct {
	pool    *pgxpool.Pool
	name    string
	columns []column // but for the shape
	sql     statements
	strange atomic.Int32 // batches in a row of which the table had no photo
}

// Open connects, compares the table with the design and asks for its rights. With create it first makes the table, with its
// indexes and the extension, where it is missing. The error wraps pipeline.ErrConfig where somebody has to change something.
func Open(ctx context.Context, c pipeline.PostGISConfig, create bool) (*Table, error) {
	conf, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: index.postgis.url: %w", pipeline.ErrConfig, err)
	}
	password, err := c.Secret()
	if err != nil {
		return nil, err
	}
	if password != "" {
		conf.ConnConfig.Password = password
	}
	conf.ConnConfig.ConnectTimeout = 10 * time.Second
	conf.MaxConns = max(conf.MaxConns, 8)
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, judged(err)
	}
	t := &Table{pool: pool, name: c.Table, columns: columns()}
	t.sql = t.statements()
	if err := t.prepare(ctx, create); err != nil {
		pool.Close()
		return nil, err
	}
	return t, nil
}

// Close drops the connections.
func (t *Table) Close() { t.pool.Close() }

func (t *Table) prepare(ctx context.Context, create bool) error {
	found, err := t.found(ctx)
	if err != nil {
		return err
	}
	if len(found) == 0 && create {
		if found, err = t.create(ctx); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%w: index.postgis.table: there is no table %s; --create makes it", pipeline.ErrConfig, t.name)
	}
	if err := t.differences(found); err != nil {
		return err
	}
	return t.rights(ctx)
}

// create returns the columns, also where somebody else made the table at the same time.
func (t *Table) create(ctx context.Context) (map[string]string, error) {
	_, failed := t.pool.Exec(ctx, Design(t.name))
	found, err := t.found(ctx)
	if failed != nil && len(found) == 0 {
		return nil, fmt.Errorf("make the table %s: %w", t.name, judged(failed))
	}
	return found, err
}

func (t *Table) differences(found map[string]string) error {
	var wrong []error
	for _, column := range slices.Sorted(maps.Keys(wanted())) {
		want, has := wanted()[column], found[column]
		switch {
		case has == "":
			wrong = append(wrong, fmt.Errorf("column %s is missing, it must be %s", column, want))
		case has != want:
			wrong = append(wrong, fmt.Errorf("column %s is %s, it must be %s", column, has, want))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: the table %s cannot be written into; name another one (index.postgis.table) and make it with --create:\n%w",
			pipeline.ErrConfig, t.name, errors.Join(wrong...))
	}
	return nil
}

// rights says which ones are missing, before the first document needs them.
func (t *Table) rights(ctx context.Context) error {
	var user, database string
	var reads, inserts, updates, copies bool
	err := t.pool.QueryRow(ctx, `SELECT current_user, current_database(), has_table_privilege($1, 'SELECT'), has_table_privilege($1, 'INSERT'),
		has_table_privilege($1, 'UPDATE'), has_database_privilege(current_database(), 'TEMPORARY')`, t.name).Scan(&user, &database, &reads, &inserts, &updates, &copies)
	if err != nil {
		return judged(err)
	}
	var missing []string
	for right, has := range map[string]bool{"SELECT": reads, "INSERT": inserts, "UPDATE": updates} {
		if !has {
			missing = append(missing, right)
		}
	}
	slices.Sort(missing)
	var wrong []error
	if len(missing) > 0 {
		wrong = append(wrong, fmt.Errorf("GRANT %s ON %s TO %s", strings.Join(missing, ", "), t.name, pgx.Identifier{user}.Sanitize()))
	}
	if !copies { // rows that replace others are copied into a temporary table first
		wrong = append(wrong, fmt.Errorf("GRANT TEMPORARY ON DATABASE %s TO %s", pgx.Identifier{database}.Sanitize(), pgx.Identifier{user}.Sanitize()))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: index.postgis: the user %s lacks rights; who has them may say:\n%w", pipeline.ErrConfig, user, errors.Join(wrong...))
	}
	return nil
}

// found are the types of the table's columns, as PostgreSQL writes them, with the primary key marked.
func (t *Table) found(ctx context.Context) (map[string]string, error) {
	rows, err := t.pool.Query(ctx, `
		SELECT a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN i.indrelid IS NULL THEN '' ELSE ' PRIMARY KEY' END
		FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND i.indnkeyatts = 1 AND a.attnum = i.indkey[0]
		WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`, t.name)
	if err != nil {
		return nil, judged(err)
	}
	defer rows.Close()
	found := make(map[string]string)
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return nil, judged(err)
		}
		found[name] = kind
	}
	return found, judged(rows.Err())
}

// judged marks errors that no repetition heals: wrong credentials, missing rights, missing tables and types.
func judged(err error) error {
	var says *pgconn.PgError
	var op *net.OpError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &says) || errors.As(err, &op):
		return fmt.Errorf("index.postgis: %w", err)
	case says.Code == "42501":
		return fmt.Errorf("%w: index.postgis: a right is missing; docs/search.md lists them: %w", pipeline.ErrConfig, err)
	case strings.HasPrefix(says.Code, "28"), strings.HasPrefix(says.Code, "42"), says.Code == "3D000", says.Code == "0A000", says.Code == "58P01":
		return fmt.Errorf("%w: index.postgis: %w", pipeline.ErrConfig, err)
	}
	return fmt.Errorf("index.postgis: %w", err)
}
