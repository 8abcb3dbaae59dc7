package survey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// counter of what a store was asked.
type asked struct {
	mu    sync.Mutex
	pages map[string]int // by where they begin
	gets  map[string]int // by key
	total int
	limit int // of requests; then stop is called
	stop  func()
}

func (a *asked) see(r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q := r.URL.Query(); q.Get("list-type") != "" {
		a.pages[max(q.Get("start-after"), q.Get("continuation-token"))]++
	} else {
		a.gets[strings.TrimPrefix(r.URL.Path, "/made/")]++
	}
	if a.total++; a.limit > 0 && a.total >= a.limit {
		a.stop()
	}
}

// madeBucket has count photos, every third with a position.
func madeBucket(t *testing.T, count int, hook func(http.ResponseWriter, *http.Request) bool) (*asked, pipeline.Config) {
	t.Helper()
	seen := &asked{pages: map[string]int{}, gets: map[string]int{}}
	bucket := devstore.Made{
		Bucket: "made", Count: count,
		Key: func(i int) string { return fmt.Sprintf("album %03d/%06d.jpg", i/50, i) },
		Object: func(i int) []byte {
			s := shotOf{at: noon(1 + i%28), camera: "Made"}
			if i%3 == 0 {
				s.lat, s.lon = 40+float64(i%100)/10, 10+float64(i)/1e5
			}
			return s.jpeg(50)
		},
	}
	server, err := devstore.Start(devstore.Options{Hook: func(w http.ResponseWriter, r *http.Request) bool {
		seen.see(r)
		return hook != nil && hook(w, r) || bucket.Answer(w, r)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg := pipeline.DefaultConfig()
	cfg.S3.Endpoint, cfg.S3.AccessKey, cfg.S3.SecretKey, cfg.S3.GoneGrace = server.URL(), devstore.AccessKey, devstore.SecretKey, 0
	cfg.S3.MaxParallel = 8
	return seen, cfg
}

// A survey that is ended again and again asks for no page and for no photo twice, but those it was reading when it was ended.
func TestASurveyGoesOnWhereItWas(t *testing.T) {
	const photos = 2500
	seen, cfg := madeBucket(t, photos, nil)
	o := options("s3://made", filepath.Join(t.TempDir(), "m.csv"))
	o.Config = cfg
	ends := 0
	for _, after := range []int{1, 2, 5, 40, 600, 703, 300} {
		ctx, cancel := context.WithCancel(context.Background())
		seen.mu.Lock()
		seen.limit, seen.stop = seen.total+after, cancel
		seen.mu.Unlock()
		_, err := Run(ctx, o)
		cancel()
		if ends++; !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d requests: %v", after, err)
		}
	}
	seen.mu.Lock() // the store may still see a request of a survey that has ended
	seen.limit = 0
	seen.mu.Unlock()
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Photos != photos || report.Positioned != (photos+2)/3 || report.Albums.Mixed != photos/50 {
		t.Errorf("report %+v", report)
	}
	manifest := rows(t, o.Out)
	if len(manifest) != photos {
		t.Errorf("%d rows", len(manifest))
	}
	for i, row := range manifest {
		if want := fmt.Sprintf("album %03d/%06d.jpg", i/50, i); row["id"] != want || row["etag"] == "" || (row["lat"] != "") != (i%3 == 0) {
			t.Fatalf("row %d: %v", i, row)
		}
	}
	again := 0
	for _, n := range seen.gets {
		again += n - 1
	}
	if len(seen.gets) != photos || again > ends*cfg.S3.MaxParallel {
		t.Errorf("%d photos were asked for, %d of them again after %d ends", len(seen.gets), again, ends)
	}
	pages := 0
	for _, n := range seen.pages {
		pages += n
	}
	if pages > photos/1000+1+ends { // the client lists one page ahead
		t.Errorf("%d pages were asked for: %v", pages, seen.pages)
	}
}

func TestTheJournalIsOneSurveys(t *testing.T) {
	_, cfg := madeBucket(t, 10, nil)
	o := options("s3://made", filepath.Join(t.TempDir(), "m.csv"))
	o.Config = cfg
	begin := func(text string) {
		if err := os.WriteFile(o.Out+".journal", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ story, text, says string }{
		{"another archive's", `{"of":{"archive":"s3://other"}}` + "\n", "finish that one, or delete the file"},
		{"other prefixes opted out", `{"of":{"archive":"s3://made","opt_out":["private/"]}}` + "\n", "finish that one"},
		{"damaged", "{\"of\":{\"archive\":\"s3://made\"}}\nrubbish\n", "delete it to start again"},
		{"not a journal", "id,file,lat,lon\n", "delete it to start again"},
	} {
		begin(row.text)
		if _, err := Run(context.Background(), o); !errors.Is(err, ErrJournal) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.story, err, row.says)
		}
	}
	begin("{\"of\":{\"archive\":\"s3://made\"}}\n{\"page\":[{\"Key\":\"alb" + strings.Repeat("x", 100_000)) // killed while it wrote
	if report, err := Run(context.Background(), o); err != nil || report.Photos != 10 {
		t.Errorf("an unfinished line: %+v, %v", report, err)
	}
	held, _, err := openJournal(o.Out+".journal", heading{Archive: "s3://made"})
	if err != nil {
		t.Fatal(err)
	}
	defer held.file.Close()
	if _, err := Run(context.Background(), o); !errors.Is(err, ErrJournal) || !strings.Contains(err.Error(), "another one is writing") {
		t.Errorf("two at a time: %v", err)
	}
}

func TestTroubleOfTheStoreIsNotThePhotos(t *testing.T) {
	failures := 0
	_, cfg := madeBucket(t, 30, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.Contains(r.URL.Path, "000007"): // gone since it was listed
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>`)
			return true
		case strings.Contains(r.URL.Path, "000003") && failures < 2: // only this photo's reader comes here
			failures++
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	o := options("s3://made/album 000/", filepath.Join(t.TempDir(), "m.csv"))
	o.Config = cfg
	report, err := Run(context.Background(), o)
	if err != nil || report.Photos != 30 || len(report.Unreadable) != 1 || failures != 2 {
		t.Errorf("%+v, %v, %d failures", report, err, failures)
	}
	if row := rows(t, o.Out)[7]; !strings.Contains(row["problem"], "object is gone") || row["lat"] != "" {
		t.Errorf("row %v", row)
	}
	if row := rows(t, o.Out)[3]; row["problem"] != "" || row["lat"] == "" {
		t.Errorf("row %v", row)
	}
}
