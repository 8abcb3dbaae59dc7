package connect

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"planetag/deploy/realkafka"
	"planetag/pipeline"
	"planetag/pipeline/index"
)

// partitions of the locations topic; the sink has a task for each.
const partitions = 3

// world is the real parts: what the worker would publish goes through Kafka and Kafka Connect into PostgreSQL.
type world struct {
	t      *testing.T // of the whole test, with which everything ends
	kafka  *realkafka.Kafka
	client *kgo.Client
	writer *pipeline.OutputWriter
	sink   *realkafka.Connect
	server *realkafka.PostGIS
	db     *pgx.Conn
	env    []string
	rounds int
}

// TestTheSinkKeepsWhatIsNewer is the way of a location through Debezium's JDBC sink, with the files of this directory as they are.
func TestTheSinkKeepsWhatIsNewer(t *testing.T) {
	if os.Getenv("TEST_CONNECT") == "" {
		t.Skip("needs Kafka Connect and Debezium's sink; `make test-connect` gets them and runs this")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	w := newWorld(ctx, t)
	w.sink = realkafka.StartConnect(t, "worker.properties", "postgis.json", w.env...)
	t.Run("stories", func(t *testing.T) { w.stories(ctx, t) })
	t.Run("page", func(t *testing.T) { w.page(ctx, t) })
	t.Run("read again", func(t *testing.T) { w.again(ctx, t) })
	t.Run("database killed", func(t *testing.T) { w.killed(ctx, t) })
	t.Run("retracted", func(t *testing.T) { w.retracted(ctx, t) })
	t.Run("without the guard", func(t *testing.T) { w.unguarded(ctx, t) })
}

func newWorld(ctx context.Context, t *testing.T) *world {
	t.Helper()
	w := &world{t: t, kafka: realkafka.Start(t), server: realkafka.StartPostGIS(t), writer: writer(t)}
	var err error
	w.client, err = kgo.NewClient(kgo.SeedBrokers(w.kafka.Addr()), kgo.DefaultProduceTopic(topic), kgo.TransactionalID("worker"),
		kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
			return func(r *kgo.Record, n int) int { return int(r.Key[len(r.Key)-1]) % n }
		})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	create := kmsg.NewPtrCreateTopicsRequest()
	one := kmsg.NewCreateTopicsRequestTopic()
	one.Topic, one.NumPartitions, one.ReplicationFactor = topic, partitions, 1
	create.Topics = append(create.Topics, one)
	if _, err := create.RequestWith(ctx, w.client); err != nil {
		t.Fatal(err)
	}
	w.db = table(ctx, t, w.server.URL)
	run(ctx, t, w.db, "CREATE ROLE sink LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON photo_locations TO sink") // the rights that the page names
	w.env = []string{
		"KAFKA_BROKERS=" + w.kafka.Addr(), "POSTGIS_URL=" + strings.Replace(w.server.URL, "postgres://planetag@", "jdbc:postgresql://", 1), "POSTGIS_USER=sink", "POSTGIS_PASSWORD=none",
	}
	return w
}

// publish is one transaction of the worker.
func (w *world) publish(ctx context.Context, t *testing.T, end kgo.TransactionEndTry, records ...*kgo.Record) {
	t.Helper()
	if err := w.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := w.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := w.client.EndTransaction(ctx, end); err != nil {
		t.Fatal(err)
	}
}

func (w *world) record(ctx context.Context, t *testing.T, id string, s step) *kgo.Record {
	t.Helper()
	rec := record(ctx, t, w.writer, id, s)
	out := &kgo.Record{Key: rec.Key, Value: rec.Value}
	for _, h := range rec.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return out
}

// settle returns when the sink has written everything up to now: a last record of each partition, which nothing touches later.
func (w *world) settle(ctx context.Context, t *testing.T) {
	t.Helper()
	w.rounds++
	var last []*kgo.Record
	for i := range partitions {
		last = append(last, w.record(ctx, t, fmt.Sprintf("settled/%d/%d", w.rounds, i), step{what: "photo", revision: 1}))
	}
	w.publish(ctx, t, kgo.TryCommit, last...)
	for n := 0; n < partitions; time.Sleep(100 * time.Millisecond) {
		if err := w.sink.Running(); err != nil || ctx.Err() != nil {
			t.Fatalf("%d of %d partitions are settled: %v, %v", n, partitions, err, ctx.Err())
		}
		if err := w.db.QueryRow(ctx, "SELECT count(*) FROM photo_locations WHERE photo_id LIKE $1", fmt.Sprintf("settled/%d/%%", w.rounds)).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) stories(ctx context.Context, t *testing.T) {
	w.tell(ctx, t)
	w.publish(ctx, t, kgo.TryAbort, w.record(ctx, t, "of an aborted transaction", step{what: "photo", revision: 1}))
	w.settle(ctx, t)
	got := rows(ctx, t, w.db)
	for _, story := range stories() {
		if got[story.name] != story.want {
			t.Errorf("%s: %+v, want %+v", story.name, got[story.name], story.want)
		}
	}
	if row, there := got["of an aborted transaction"]; there {
		t.Errorf("an aborted transaction is read: %+v", row)
	}
	var taken, published time.Time
	var country, model string
	var p90, offset int64
	err := w.db.QueryRow(ctx, "SELECT taken_at, time, country_code, model, radius_p90_m, record_offset FROM photo_locations WHERE photo_id = 'an estimate'").
		Scan(&taken, &published, &country, &model, &p90, &offset)
	want := location("", step{what: "photo"}).TakenAt
	if err != nil || !taken.Equal(want) || time.Since(published).Abs() > time.Hour || country != "IT" || model != "demo@1.0.0" || p90 != 20_000 || offset < 0 {
		t.Errorf("the row has taken_at %v (want %v), time %v, %q, %q, %d, %d, %v", taken, want, published, country, model, p90, offset, err)
	}
}

func (w *world) tell(ctx context.Context, t *testing.T) {
	t.Helper()
	var all []*kgo.Record
	for _, story := range stories() {
		for _, step := range story.steps {
			all = append(all, w.record(ctx, t, story.name, step))
		}
	}
	w.publish(ctx, t, kgo.TryCommit, all...)
}

// again kills the worker, and has another connector read the whole topic into the same table from its start.
func (w *world) again(ctx context.Context, t *testing.T) {
	before := rows(ctx, t, w.db)
	first := w.sink
	first.Kill9()
	second := filepath.Join(t.TempDir(), "second.json")
	if err := os.WriteFile(second, []byte(strings.Replace(read(t, "postgis.json"), "planetag-postgis", "second", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.sink = realkafka.StartConnect(t, "worker.properties", second, w.env...)
	w.settle(ctx, t)
	w.sink.Kill9()
	w.sink = first
	first.Restart()
	w.settle(ctx, t)
	after := rows(ctx, t, w.db)
	maps.DeleteFunc(after, func(id string, _ row) bool { return strings.HasPrefix(id, "settled/") && before[id] == row{} })
	if !maps.Equal(before, after) {
		t.Errorf("read again, the topic comes to %v; before, to %v", after, before)
	}
}

// killed publishes while the database is away. That fails the sink's tasks, and nothing is lost when they are started again.
func (w *world) killed(ctx context.Context, t *testing.T) {
	w.server.Kill9()
	w.publish(ctx, t, kgo.TryCommit, w.record(ctx, t, "while the database was away", step{what: "photo", revision: 1000, lat: 41.89, lon: 12.49}))
	for !w.sink.Failed() { // one after the other: each takes over what another one left
		if time.Sleep(100 * time.Millisecond); ctx.Err() != nil {
			t.Fatalf("not all tasks failed: %v", w.sink.Running())
		}
	}
	w.server.Restart()
	w.db = table(ctx, w.t, w.server.URL)
	w.sink.RestartTasks("planetag-postgis")
	w.settle(ctx, t)
	if got := rows(ctx, t, w.db)["while the database was away"]; got.revision != 1000 {
		t.Errorf("lost: %+v", got)
	}
}

// retracted takes the model's answers back, as planetag retract does, with the topic in the form that Connect reads.
func (w *world) retracted(ctx context.Context, t *testing.T) {
	left := make(map[string]row)
	answers := int64(0)
	for id, row := range rows(ctx, t, w.db) {
		switch row.status {
		case "given":
			left[id] = row
		case "estimated", "abstained":
			answers++
		}
	}
	o := index.RetractOptions{Config: pipeline.DefaultConfig(), Model: "demo", Log: slog.New(slog.DiscardHandler)}
	o.Config.Kafka.Brokers = []string{w.kafka.Addr()}
	done, err := index.Retract(ctx, o)
	if err != nil || done.Retracted != answers || done.Given != int64(len(left)) || done.Unread != 0 {
		t.Errorf("%+v, %v; the table has %d answers and %d measured positions", done, err, answers, len(left))
	}
	w.settle(ctx, t)
	after := rows(ctx, t, w.db)
	maps.DeleteFunc(after, func(id string, row row) bool { return row.deleted || strings.HasPrefix(id, "settled/") })
	if !maps.Equal(left, after) {
		t.Errorf("retracted, there are %v, want %v", after, left)
	}
}

// unguarded shows that it is the guard that keeps the newer one.
func (w *world) unguarded(ctx context.Context, t *testing.T) {
	run(ctx, t, w.db, "ALTER TABLE photo_locations DISABLE TRIGGER photo_locations_guard; DELETE FROM photo_locations")
	w.tell(ctx, t)
	w.settle(ctx, t)
	got := rows(ctx, t, w.db)
	for _, story := range stories() {
		if story.unguarded != nil && got[story.name] != *story.unguarded {
			t.Errorf("%s, without the guard: %+v, want %+v", story.name, got[story.name], *story.unguarded)
		}
	}
	if row, there := got["removed"]; there {
		t.Errorf("a tombstone without the guard leaves %+v", row)
	}
}
