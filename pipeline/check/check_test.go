package check

import (
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

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
		"broker": "speaks every version needed", "rights": "11 topics, groups", "topics": "photos has 2 partitions", "messages": "the last 2 messages",
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
			"no right to make what is missing", func(w *world) {
				w.cfg.Topics.Locations = "new.locations"
				refuse(19, 29)(w)
			}, "topics", Failed, `needs Create on topic "new.locations"`, "--operation Create --topic new.locations`", consumer.ErrAuthorization, nil,
		},
		{
			"nobody there", func(w *world) { w.cfg.Kafka.Brokers = []string{"127.0.0.1:1"} }, "broker", Failed, "connection refused",
			"check kafka.brokers", nil,
			[]string{"rights", "topics", "messages"},
		},
		{
			"a wrong bucket", func(w *world) { w.cfg.S3.Bucket = "wrong-bucket" }, "bucket", Failed, "bucket wrong-bucket does not exist",
			"set s3.bucket to the bucket that holds the photos", pipeline.ErrStorageConfig,
			[]string{"photo", "location"},
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
			"get the bundle again", bundle.ErrBundle,
			[]string{"runtime", "location"},
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
			"a message from the future", func(w *world) {
				rec := &kgo.Record{Topic: "photos", Value: []byte(`{"album_complete":"rome"}`), Timestamp: time.Now().Add(time.Hour)}
				if err := w.admin.ProduceSync(w.t.Context(), rec).FirstErr(); err != nil {
					w.t.Fatal(err)
				}
			}, "clock", Warning, " from now", "compare the clocks", nil, nil,
		},
		{
			"a photo that is none", func(w *world) { w.put("rome/été 1.jpg", []byte("not a photo")) }, "photo", Warning, "not a photo in jpeg", "planetag explain s3://", nil, []string{"location"},
		},
		{
			"a photo that is gone", func(w *world) { w.send(`{"key":"gone.jpg"}`) }, "photo", Warning, "gone.jpg: object is gone", "dead letter", nil, nil,
		},
		{
			"an empty bucket", func(w *world) { w.cfg.Topics.Input = "other"; w.makeTopics(); w.delete("rome/été 1.jpg") }, "bucket", Warning,
			"is a photo by its name", "put a photo into it", nil,
			[]string{"photo", "location"},
		},
		{
			"less memory than the budget", func(w *world) { w.cfg.Memory.Budget = 1 << 50 }, "memory", Failed, "the kernel would end the worker", "allow at least", pipeline.ErrConfig, nil,
		},
	} {
		t.Run(row.story, func(t *testing.T) {
			w := well(t)
			w.cfg.Decode.Isolation = "none" // TestAWorldInWhichNothingIsWrong starts processes
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
