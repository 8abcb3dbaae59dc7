package search

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
	"planetag/pipeline"
	"planetag/pipeline/index/postgis"
)

// TestPostGISOfOthers is a database that asks for TLS and a password, with users who have what docs/search.md lists and no more.
func TestPostGISOfOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	server := realkafka.StartSecurePostGIS(t)
	admin := &database{url: server.URL, table: "planetag_locations"}
	password := secrets.Of("index")
	do := func(sql string) {
		t.Helper()
		admin.query(ctx, t, sql, func(pgx.Rows) error { return nil })
	}
	do("CREATE EXTENSION postgis")
	for _, user := range []string{"maker", "writer"} {
		do("CREATE ROLE " + user + " LOGIN PASSWORD '" + password + "'")
	}
	do("GRANT CREATE ON SCHEMA public TO maker")
	do("REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC")
	as := func(user string) func(*pipeline.PostGISConfig) {
		return func(c *pipeline.PostGISConfig) {
			u, _ := url.Parse(server.URL) // our own
			u.User = url.User(user)
			c.URL, c.Password = u.String(), pipeline.Secret(password)
		}
	}
	open := func(create bool, changes ...func(*pipeline.PostGISConfig)) error {
		c := pipeline.DefaultConfig().Index.PostGIS
		for _, change := range changes {
			change(&c)
		}
		x, err := postgis.Open(ctx, c, create)
		if err == nil {
			x.Close()
		}
		return err
	}
	in := func(old, now string) func(*pipeline.PostGISConfig) {
		return func(c *pipeline.PostGISConfig) { c.URL = strings.Replace(c.URL, old, now, 1) }
	}
	says := func(who string, err, is error, what ...string) {
		t.Helper()
		for _, what := range what {
			if err == nil || is != nil && !errors.Is(err, is) || !strings.Contains(err.Error(), what) {
				t.Errorf("%s: %v\nwant it to be %v and to say %q", who, err, is, what)
			}
		}
	}
	config := pipeline.ErrConfig
	says("somebody with a wrong password", open(false, as("writer"), func(c *pipeline.PostGISConfig) { c.Password = "guessed" }), config, "password authentication failed")
	says("somebody without TLS", open(false, as("writer"), in("verify-full", "disable")), config, "no encryption")
	says("somebody who trusts others", open(false, as("writer"), in("&sslrootcert="+server.CAFile, "")), nil, "certificate")
	says("somebody who meant another host", open(false, as("writer"), in("127.0.0.1", "localhost")), nil, "certificate", "localhost")
	says("the writer, before there is a table", open(false, as("writer")), config, "--create makes it")
	says("the writer, who would make it", open(true, as("writer")), config, "a right is missing; docs/search.md", "permission denied for schema public")
	says("the maker, who cannot copy", open(true, as("maker")), config, `GRANT TEMPORARY ON DATABASE "postgres" TO "maker"`)
	lacks := open(false, as("writer"))
	says("the writer, without rights", lacks, config, `GRANT INSERT, SELECT, UPDATE ON planetag_locations TO "writer"`, `GRANT TEMPORARY ON DATABASE "postgres" TO "writer"`)
	for line := range strings.Lines(lacks.Error()) { // what it says is what helps
		if strings.HasPrefix(line, "GRANT ") {
			do(line)
		}
	}
	do("GRANT TEMPORARY ON DATABASE postgres TO maker")

	w := newWorld(t)
	w.publish(ctx, t, located(t, "photo", 41, 12, nil), located(t, "other photo", 41, 12, nil))
	by := &database{url: server.URL, table: "planetag_locations", as: as("writer")}
	fill(ctx, t, by, w.cfg)
	w.publish(ctx, t, located(t, "photo", 42, 13, func(l *pipeline.Location) { l.Revision = 2000 }), pipeline.Tombstone("planetag.locations", "other photo", 2000))
	fill(ctx, t, by, w.cfg)
	if docs := admin.all(ctx, t); len(docs) != 2 || docs["photo"].Lat != 42 || !docs["other photo"].Deleted {
		t.Errorf("the writer wrote %+v", docs)
	}
	t.Run("retractions", func(t *testing.T) { retractions(ctx, t, []target{&database{url: server.URL, as: as("maker")}}) })
}
