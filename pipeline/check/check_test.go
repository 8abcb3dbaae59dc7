package check

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/enrich/bundle"
	"planetag/pipeline"
)

func TestAWorldInWhichNothingIsWrong(t *testing.T) {
	w := well(t)
	before := w.state()
	w.methods = make(map[string]bool)
	report := w.check()
	if !report.OK || len(report.Errors()) > 0 {
		t.Fatalf("something is wrong:\n%s", text(t, report))
	}
	for name, says := range map[string]string{
		"broker": "speaks every version needed", "rights": "8 topics, groups", "topics": "photos has 2 partitions", "messages": "the last 2 messages",
		"bucket": "bucket pictures can be listed", "photo": "rome/été 1.jpg, jpeg of", "bundle": "every checksum right", "runtime": "golden photos reproduced",
		"location": "s3://pictures/rome/été 1.jpg: estimated at ", "clock": "from the store's", "memory": "memory.budget 512MiB",
	} {
		if c := report.of(t, name); c.Status != OK || !strings.Contains(c.Detail, says) {
			t.Errorf("%s: %s, %q does not say %q %v", name, c.Status, c.Detail, says, c.Problems)
		}
	}
	lines := strings.Join(report.of(t, "messages").Lines, "\n")
	for _, says := range []string{"album rome is complete", `photo s3://pictures/rome/été 1.jpg, album "rome", taken 2019-05-02T10:11:12Z`} {
		if !strings.Contains(lines, says) {
			t.Errorf("%q does not say %q", lines, says)
		}
	}
	for method := range w.methods {
		if method != http.MethodGet && method != http.MethodHead {
			t.Errorf("the store was asked to %s", method)
		}
	}
	if after := w.state(); after != before {
		t.Errorf("something was changed, before:\n%s\nafter:\n%s", before, after)
	}
}

// TestABareWorldStaysBare: topics that the worker would make are not made by asking.
func TestABareWorldStaysBare(t *testing.T) {
	w := newWorld(t)
	before := w.state()
	report := w.check()
	if !report.OK || !strings.Contains(report.of(t, "topics").Detail, "photos will be made") {
		t.Errorf("%s", text(t, report))
	}
	for name, why := range map[string]string{
		"messages": `because topic "photos" is not there`, "photo": "because there is none to try", "location": "because there is none to try",
	} {
		if c := report.of(t, name); c.Status != Skipped || !strings.Contains(c.Detail, why) {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if after := w.state(); after != before {
		t.Errorf("something was changed, before:\n%s\nafter:\n%s", before, after)
	}
}

// TestWhatIsWrongIsNamedWithItsRemedy breaks one thing at a time.
func TestWhatIsWrongIsNamedWithItsRemedy(t *testing.T) {
	refuse := func(api int16, code int16) func(*world) {
		return func(w *world) {
			w.broker.OnRequest(func(key int16) devbroker.Fault {
				if key == api {
					return devbroker.Fault{Code: code}
				}
				return devbroker.Fault{}
			})
		}
	}
	for _, row := range []struct {
		story   string
		change  func(*world)
		check   string
		status  Status
		what    string
		remedy  string
		kind    error
		skipped []string
	}{
		{
			"no right on a group", refuse(12, 30), "rights", Failed, `needs Read on group "planetag.photos"`,
			"--operation Read --group planetag.photos`", consumer.ErrAuthorization, nil,
		},
		{
			"no right on transactions", refuse(26, 53), "rights", Failed, `transactional ids that begin with "planetag.photos/"`,
			"--operation Write --transactional-id planetag.photos/ --resource-pattern-type prefixed`", consumer.ErrAuthorization, nil,
		},
		{
			"nobody there", func(w *world) { w.cfg.Kafka.Brokers = []string{"127.0.0.1:1"} }, "broker", Failed, "connection refused",
			"check kafka.brokers", nil, []string{"rights", "topics", "messages"},
		},
		{
			"a wrong bucket", func(w *world) { w.cfg.S3.Bucket = "wrong-bucket" }, "bucket", Failed, "bucket wrong-bucket does not exist",
			"set s3.bucket to the bucket that holds the photos", pipeline.ErrStorageConfig, []string{"photo", "location"},
		},
		{
			"too short retention", func(w *world) { w.configure("planetag.embeddings", "retention.ms", "60000") }, "topics", Failed,
			"keeps records for 1m0s, at least 50m0s is needed", "--entity-name planetag.embeddings --add-config retention.ms=3000000`", pipeline.ErrConfig, nil,
		},
		{
			"a compacted embeddings topic", func(w *world) { w.configure("planetag.embeddings", "cleanup.policy", "compact") }, "topics", Failed,
			"cleanup.policy=compact", "cleanup.policy=delete`", pipeline.ErrConfig, nil,
		},
		{
			"a size limit", func(w *world) { w.configure("planetag.embeddings", "retention.bytes", "1048576") }, "topics", Warning,
			"keeps at most 1MiB of each partition", "retention.bytes=-1`", nil, nil,
		},
		{
			"small messages", func(w *world) { w.configure("planetag.locations", "max.message.bytes", "10000") }, "topics", Failed,
			"takes batches of at most 10000", "--entity-name planetag.locations --add-config max.message.bytes=1048588`", pipeline.ErrConfig, nil,
		},
		{
			"dead letters smaller than the input", func(w *world) { w.configure("photos", "max.message.bytes", "8388608") }, "topics", Warning,
			"could not be dead-lettered", "set its max.message.bytes to at least 8388608", nil, nil,
		},
		{
			"another number of partitions", func(w *world) { w.cfg.Topics.Partitions = 3 }, "topics", Failed, "has 2 partitions, the configuration says 3",
			"set topics.partitions to 2", pipeline.ErrConfig, nil,
		},
		{
			"messages that are no references", func(w *world) { w.send("a", "b", "c", "d", "e") }, "messages", Failed,
			"none of the last 5 messages of photos is a reference", "what a reference looks like", pipeline.ErrConfig, nil,
		},
		{
			"one that is none", func(w *world) { w.send("a") }, "messages", Warning, "1 of the last 3 messages would be dead letters", "reference looks like", nil, nil,
		},
		{
			"a flipped byte in the bundle", func(w *world) { w.cfg.Bundle.Path = flipped(w.t) }, "bundle", Failed, "cnn.onnx",
			"get the bundle again", bundle.ErrBundle, []string{"runtime", "location"},
		},
		{
			"no bundle", func(w *world) { w.cfg.Bundle.Path = w.t.TempDir() }, "bundle", Failed, "no bundle.yaml", "set bundle.path", pipeline.ErrConfig,
			[]string{"runtime", "location"},
		},
		{
			"no library", func(w *world) { w.cfg.Bundle.Library = "/nowhere/libonnxruntime.so" }, "runtime", Failed, "library: ", "set bundle.library", nil,
			[]string{"location"},
		},
		{
			"a mode that the bundle lacks", func(w *world) {
				w.cfg.Albums.Mode, w.cfg.Bundle.Path = "lstm", filepath.Join(w.cfg.Bundle.Path, "..", "gallery")
			}, "runtime", Failed, `albums.mode is "lstm"`, "leave it empty", pipeline.ErrConfig, []string{"location"},
		},
		{
			"a clock an hour off", func(w *world) { w.tellTime(time.Hour) }, "clock", Failed, "clock is 1h0m0s behind the store's",
			"set the clocks of all machines by NTP", pipeline.ErrConfig, nil,
		},
		{
			"a clock ten seconds off", func(w *world) { w.tellTime(-10 * time.Second) }, "clock", Warning, "s ahead of the store's", "by NTP", nil, nil,
		},
		{
			"a photo that is none", func(w *world) { w.put("rome/été 1.jpg", []byte("not a photo")) }, "photo", Warning, "not a photo in jpeg", "planetag explain s3://", nil, []string{"location"},
		},
		{
			"a photo that is gone", func(w *world) { w.send(`{"key":"gone.jpg"}`) }, "photo", Warning, "gone.jpg: object is gone", "dead letter", nil, nil,
		},
		{
			"an empty bucket", func(w *world) { w.cfg.Topics.Input = "other"; w.makeTopics(); w.delete("rome/été 1.jpg") }, "bucket", Warning,
			"is a photo by its name", "put a photo into it", nil, []string{"photo", "location"},
		},
		{
			"less memory than the budget", func(w *world) { w.cfg.Memory.Budget = 1 << 50 }, "memory", Failed, "the kernel would end the worker", "allow at least", pipeline.ErrConfig, nil,
		},
	} {
		t.Run(row.story, func(t *testing.T) {
			w := well(t)
			row.change(w)
			report := w.check()
			c := report.of(t, row.check)
			if c.Status != row.status || report.OK != (row.status != Failed) || len(c.Problems) == 0 {
				t.Fatalf("%s is %s\n%s", row.check, c.Status, text(t, report))
			}
			named := func(p Problem) bool {
				return strings.Contains(p.What, row.what) && strings.Contains(p.Remedy, row.remedy)
			}
			if !slices.ContainsFunc(c.Problems, named) {
				t.Errorf("nothing says %q and %q\n%s", row.what, row.remedy, text(t, report))
			}
			if row.kind != nil && !slices.ContainsFunc(report.Errors(), func(err error) bool { return errors.Is(err, row.kind) }) {
				t.Errorf("%v is none of %v", report.Errors(), row.kind)
			}
			for _, other := range report.Checks {
				if skipped := slices.Contains(row.skipped, other.Name); skipped != (other.Status == Skipped && strings.Contains(other.Detail, "because")) && (skipped || row.status == Failed) {
					t.Errorf("%s is %s, %s\n%s", other.Name, other.Status, other.Detail, text(t, report))
				}
			}
		})
	}
}

func TestABadConfigurationSkipsTheRest(t *testing.T) {
	report, err := Run(t.Context(), Options{Name: "f.yaml", ConfigErr: pipeline.ErrConfig, Warnings: []string{"old"}})
	if err != nil || report.OK {
		t.Fatalf("%v %+v", err, report)
	}
	for _, c := range report.Checks[1:] {
		if c.Status != Skipped || c.Detail != "because config failed" {
			t.Errorf("%s: %s %s", c.Name, c.Status, c.Detail)
		}
	}
	if len(report.Checks) != 13 {
		t.Errorf("%d checks", len(report.Checks))
	}
}

func TestTheEndOfTheContextEndsTheChecks(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Config: pipeline.DefaultConfig()}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTheAlbumStageNeedsNoStore: a worker that only answers albums is not asked for what it does not use.
func TestTheAlbumStageNeedsNoStore(t *testing.T) {
	w := well(t)
	w.cfg.Stages, w.cfg.S3.Endpoint = []string{"albums"}, "http://127.0.0.1:1"
	report := w.check()
	if !report.OK {
		t.Errorf("%s", text(t, report))
	}
	for _, c := range report.Checks {
		if c.Name == "bucket" || c.Name == "messages" || c.Name == "clock" {
			t.Errorf("%s was checked", c.Name)
		}
	}
}

// flipped is the small bundle with one bit of its network turned over.
func flipped(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "flipped")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "enrich", "testdata", "tiny"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cnn.onnx")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tellTime makes the store's clock wrong.
func (w *world) tellTime(off time.Duration) {
	w.hook = func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		return false
	}
}

func (w *world) delete(key string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodDelete, w.cfg.S3.Endpoint+"/"+photos+"/"+strings.ReplaceAll(key, " ", "%20"), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode >= 300 {
		w.t.Fatal(err, answer)
	}
	answer.Body.Close()
}
