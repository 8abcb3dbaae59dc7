package search

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/deploy/realkafka"
	"planetag/enrich"
	"planetag/enrich/cells"
	"planetag/pipeline"
)

// TestPhotosAreFound is the whole way: photos → Kafka → worker → locations → search indexes → questions; and then the kills.
func TestPhotosAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Java")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	kafka, store := realkafka.Start(t), realkafka.StartVersity(t)
	openSearch, postGIS := realkafka.StartOpenSearch(t), realkafka.StartPostGIS(t)
	search, db := &searchServer{url: openSearch.URL, in: "planetag-locations"}, &database{url: postGIS.URL, table: "planetag_locations"}
	c := configured(t, "photos", kafka, store, search, db)
	makeBucket(ctx, t, store)
	photos(ctx, t, c, kafka.Addr(), []target{search, db})
	t.Run("page", func(t *testing.T) {
		for _, to := range []target{search, db} {
			shows(ctx, t, to)
		}
		pages(ctx, t, c, search, db)
	})
	t.Run("kills", func(t *testing.T) {
		// The photos' locations lie on the same topic; the stories' photos are others.
		told := newStories(t, kafka.Addr())
		told.known(search.all(ctx, t))
		kills(ctx, t, c, told, []victim{{search, openSearch.Kill9, openSearch.Restart}, {db, postGIS.Kill9, postGIS.Restart}})
	})
}

// photos sends the demo's photos through a worker, indexes their locations and asks.
func photos(ctx context.Context, t *testing.T, c command, broker string, servers []target) {
	t.Helper()
	worker := exec.CommandContext(ctx, c.binary, "run", "--config", c.config)
	worker.Stderr = os.Stderr
	worker.Env = environment()
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	demo := exec.CommandContext(ctx, c.binary, "demo", "--attach", c.config, "--json")
	demo.Env = environment()
	if out, err := demo.CombinedOutput(); err != nil {
		t.Fatalf("demo --attach: %v\n%s", err, out)
	}
	_ = worker.Process.Signal(syscall.SIGTERM) // it has nothing left to do
	_ = worker.Wait()
	last := lastLocations(ctx, t, broker)
	for _, to := range servers {
		f := c.once(ctx, to.name())
		if f.Refused > 0 || f.Written < int64(len(last)) {
			t.Errorf("%s: %+v of %d photos", to.name(), f, len(last))
		}
		answered := 0
		for question, want := range expected(last) {
			got := to.ask(ctx, t, question)
			if !maps.Equal(got, want) {
				t.Errorf("%s, %s: %v, the topic says %v", to.name(), question, got, want)
			}
			answered += len(want)
		}
		t.Logf("%s: %d photos, %d answers to %d questions", to.name(), len(last), answered, len(expected(last)))
	}
}

// makeBucket makes what a worker wants to be there when it starts.
func makeBucket(ctx context.Context, t *testing.T, store *realkafka.Versity) {
	t.Helper()
	client, err := minio.New(strings.TrimPrefix(store.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(store.AccessKey, store.SecretKey, ""), Region: "us-east-1",
	})
	if err == nil {
		err = client.MakeBucket(ctx, "photos", minio.MakeBucketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "PLANETAG_") {
			env = append(env, pair)
		}
	}
	return env
}

// lastLocations is the fold of the topic by an independent reader: of each photo the greatest revision. The demo removes none.
func lastLocations(ctx context.Context, t *testing.T, broker string) map[string]pipeline.Location {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics("planetag.locations"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	last := make(map[string]pipeline.Location)
	for quiet := time.Now(); time.Since(quiet) < 2*time.Second; {
		poll, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		client.PollFetches(poll).EachRecord(func(r *kgo.Record) {
			quiet = time.Now()
			var l pipeline.Location
			if err := json.Unmarshal(r.Value, &l); err != nil {
				t.Fatal(err)
			}
			if l.Revision > last[l.PhotoID].Revision {
				last[l.PhotoID] = l
			}
		})
		cancel()
	}
	if len(last) < 30 {
		t.Fatalf("the topic has locations of %d photos", len(last))
	}
	return last
}

// expected answers the questions from the locations themselves.
func expected(last map[string]pipeline.Location) map[string]map[string]int {
	want := make(map[string]map[string]int)
	note := func(question, name string) {
		if want[question] == nil {
			want[question] = make(map[string]int)
		}
		want[question][name]++
	}
	for _, q := range []string{"near", "box_across_antimeridian", "country", "better_than", "drill_down", "albums_that_moved", "abstained"} {
		want[q] = make(map[string]int)
	}
	for id, l := range last {
		if l.Status == pipeline.StatusAbstained {
			note("abstained", id)
		}
		if l.Location == nil {
			continue
		}
		at := *l.Location
		leaf, _ := cells.Leaf(at.Lat, at.Lon)
		switch {
		case l.Status == pipeline.StatusGiven:
			note("drill_down", leaf.Parent(4).ToToken())
		case cells.FromToken(l.Cell).Level() >= 4:
			note("drill_down", cells.FromToken(l.Cell).Parent(4).ToToken())
		}
		if enrich.DistanceMetres(at.Lat, at.Lon, 41.8902, 12.4922) < 5000 {
			note("near", id)
		}
		if at.Lat < -15 && at.Lat > -20 && (at.Lon > 176 || at.Lon < -178) {
			note("box_across_antimeridian", id)
		}
		if l.Place != nil && l.Place.CountryCode == "IT" && l.Place.CountryProbability >= 0.3 {
			note("country", id)
		}
		if l.Status == pipeline.StatusEstimated && l.RadiusP90M <= 50_000 {
			note("better_than", id)
		}
		if l.Album != nil && l.Album.MovedM >= 100_000 {
			note("albums_that_moved", l.Album.ID)
		}
	}
	return want
}

// known takes documents that are there already as they are.
func (s *stories) known(docs map[string]document) {
	for id, d := range docs {
		s.want[id] = document{
			Deleted: d.Deleted, Status: d.Status, Stage: d.Stage, Revision: d.Revision, Lat: d.Lat, Lon: d.Lon, Partition: d.Partition, Offset: d.Offset,
		}
	}
}
