package connect

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"planetag/deploy/realkafka"
	"planetag/pipeline"
)

// schemaOf is the Connect schema of a record: names of columns with their types.
func schemaOf(t *testing.T, value []byte) (types map[string]string, required []string, payload map[string]any) {
	t.Helper()
	var v struct {
		Schema struct {
			Fields []struct {
				Field, Type, Name string
				Optional          bool
			}
		}
		Payload map[string]any
	}
	if err := json.Unmarshal(value, &v); err != nil {
		t.Fatal(err)
	}
	types = make(map[string]string)
	for _, f := range v.Schema.Fields {
		if types[f.Field] = cmp.Or(f.Name, f.Type); !f.Optional {
			required = append(required, f.Field)
		}
	}
	return types, required, v.Payload
}

var column = regexp.MustCompile(`(?m)^  ([a-z0-9_]+) +([a-z]+( precision)?)( PRIMARY KEY| NOT NULL|)`)

// TestTheTableHasWhatThePresetPublishes compares names and types; the sink adds the partition and the offset.
func TestTheTableHasWhatThePresetPublishes(t *testing.T) {
	rec := record(t.Context(), t, writer(t), "1.jpg", step{what: "photo", revision: 1})
	types, required, payload := schemaOf(t, rec.Value)
	if a, b := slices.Sorted(maps.Keys(types)), slices.Sorted(maps.Keys(payload)); !slices.Equal(a, b) {
		t.Errorf("the schema has %v, the payload %v", a, b)
	}
	of := map[string]string{
		"string": "text", "int32": "integer", "int64": "bigint", "double": "double precision", "boolean": "boolean", "io.debezium.time.ZonedTimestamp": "timestamptz",
	}
	want := map[string]string{
		"location": "geography", "record_partition": "integer NOT NULL", "record_offset": "bigint NOT NULL", "deleted_at": "timestamptz", "photo_revision": "bigint",
	}
	for name, kind := range types {
		if want[name] = of[kind]; slices.Contains(required, name) {
			want[name] += " NOT NULL"
		}
	}
	want["photo_id"], want["time"] = "text PRIMARY KEY", "timestamptz NOT NULL"
	got := make(map[string]string)
	definition, _, _ := strings.Cut(read(t, "table.sql"), ");\n")
	for _, m := range column.FindAllStringSubmatch(definition, -1) {
		got[m[1]] = m[2] + m[4]
	}
	for _, name := range slices.Sorted(maps.Keys(merged(want, got))) {
		if got[name] != want[name] {
			t.Errorf("table.sql has %s %q, the preset needs %q", name, got[name], want[name])
		}
	}
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// sink speaks to the table as Debezium's sink does, without Kafka: an upsert or a delete for each record.
type sink struct {
	writer *pipeline.OutputWriter
	upsert string
}

func sinkOf(t *testing.T) *sink {
	t.Helper()
	s := &sink{writer: writer(t)}
	types, _, _ := schemaOf(t, record(t.Context(), t, s.writer, "1.jpg", step{what: "photo", revision: 1}).Value)
	columns := append(slices.Sorted(maps.Keys(types)), "record_partition", "record_offset")
	var sets []string
	for _, name := range columns {
		if name != "photo_id" {
			sets = append(sets, name+" = excluded."+name)
		}
	}
	list := strings.Join(columns, ", ")
	s.upsert = fmt.Sprintf(`INSERT INTO photo_locations (%s) SELECT %s FROM jsonb_populate_record(NULL::photo_locations, $1::jsonb)
		ON CONFLICT (photo_id) DO UPDATE SET %s`, list, list, strings.Join(sets, ", "))
	return s
}

// statements are those for the steps of one photo from the given one on; a step's place is its offset.
func (s *sink) statements(ctx context.Context, t *testing.T, id string, steps []step, from int) *pgx.Batch {
	t.Helper()
	batch := &pgx.Batch{}
	for offset, step := range steps[from:] {
		rec := record(ctx, t, s.writer, id, step)
		if rec.Value == nil {
			batch.Queue("DELETE FROM photo_locations WHERE photo_id = $1", id)
			continue
		}
		_, _, payload := schemaOf(t, rec.Value)
		payload["record_partition"], payload["record_offset"] = 0, from+offset
		batch.Queue(s.upsert, payload)
	}
	return batch
}

func send(ctx context.Context, t *testing.T, db *pgx.Conn, batch *pgx.Batch) {
	t.Helper()
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTheGuardKeepsWhatIsNewer tells each story to the table, with the guard and without, and reads it again from every step on, as Connect does after a
// failure.
func TestTheGuardKeepsWhatIsNewer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	db := table(ctx, t, realkafka.StartPostGIS(t).URL)
	s := sinkOf(t)
	told := func(from func(story) int) {
		for _, story := range stories() {
			send(ctx, t, db, s.statements(ctx, t, story.name, story.steps, from(story)))
		}
	}
	told(func(story) int { return 0 })
	for again := range 4 {
		got := rows(ctx, t, db)
		for _, story := range stories() {
			if got[story.name] != story.want {
				t.Errorf("%s, read again from %d: %+v, want %+v", story.name, again, got[story.name], story.want)
			}
		}
		told(func(s story) int { return min(again, len(s.steps)-1) })
	}
	t.Run("any history, read again", func(t *testing.T) { rewound(ctx, t, db, s) })
	t.Run("wiped", func(t *testing.T) { wiped(ctx, t, db) })
	run(ctx, t, db, "ALTER TABLE photo_locations DISABLE TRIGGER photo_locations_guard; DELETE FROM photo_locations")
	told(func(story) int { return 0 })
	got := rows(ctx, t, db)
	for _, story := range stories() {
		if story.unguarded != nil && got[story.name] != *story.unguarded {
			t.Errorf("%s, without the guard: %+v, want %+v", story.name, got[story.name], *story.unguarded)
		}
	}
}

// rewound is the promise behind at-least-once: whatever happened to a photo, reading it again from anywhere to the end changes nothing.
func rewound(ctx context.Context, t *testing.T, db *pgx.Conn, s *sink) {
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		id := fmt.Sprintf("rewound/%d", n)
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				what:     rapid.SampledFrom([]string{"photo", "photo", "album", "album", "opted_out", "removed", "removed"}).Draw(r, "what"),
				revision: rapid.Int64Range(1, 200_000).Draw(r, "revision"), lat: float64(rapid.IntRange(-90, 90).Draw(r, "lat")),
				later: time.Duration(rapid.IntRange(-3, 3).Draw(r, "later")) * time.Hour,
			}
		}), 1, 8).Draw(r, "steps")
		from := rapid.IntRange(0, len(steps)-1).Draw(r, "from")
		send(ctx, t, db, s.statements(ctx, t, id, steps, 0))
		before := rows(ctx, t, db)[id]
		send(ctx, t, db, s.statements(ctx, t, id, steps, from))
		if after := rows(ctx, t, db)[id]; after != before {
			r.Errorf("%+v, and read again from %d: %+v", before, from, after)
		}
	})
}

// wiped looks for anything that a removed or opted-out photo left behind.
func wiped(ctx context.Context, t *testing.T, db *pgx.Conn) {
	var left []string
	err := db.QueryRow(ctx, `
		SELECT array_agg(DISTINCT kept.key) FROM photo_locations, jsonb_each(to_jsonb(photo_locations) - ARRAY['photo_id', 'status', 'stage', 'revision',
			'photo_revision', 'record_partition', 'record_offset', 'time', 'deleted_at']) AS kept
		WHERE deleted_at IS NOT NULL AND kept.value <> 'null'`).Scan(&left)
	if err != nil || left != nil {
		t.Errorf("removed photos still have %v, %v", left, err)
	}
}
