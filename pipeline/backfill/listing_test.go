package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"planetag/consumer"
	"planetag/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a bucket that is a sorted list of keys.
type shelf []string

func (s shelf) list(_ context.Context, _, prefix, after string, each func(pipeline.Listed) error) error {
	for _, key := range s {
		if key > after && strings.HasPrefix(key, prefix) {
			if err := each(pipeline.Listed{Key: key, ETag: "e-" + key, Size: 1000}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s shelf) Directories(_ context.Context, _, prefix string, most int) (dirs []string, objects int, err error) {
	for _, key := range s {
		rest, below := strings.CutPrefix(key, prefix)
		if !below || len(dirs)+objects == most {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); !deeper {
			objects++
		} else if dir := prefix + name + "/"; !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, objects, nil
}

// ledger is a topic and its state topic: what is written in one transaction is there as a whole, or not at all.
type ledger struct {
	records []consumer.Record
	state   []byte
	writes  int
	killAt  int  // this write never happens …
	kept    bool // … or happens, and nobody hears of it
}

var errKilled = errors.New("killed")

func (l *ledger) Write(_ context.Context, records []consumer.Record) error {
	l.writes++
	if l.writes == l.killAt && !l.kept {
		return errKilled
	}
	for _, r := range records {
		if r.Topic == "state" {
			l.state = slices.Clone(r.Value)
		} else {
			l.records = append(l.records, r)
		}
	}
	if l.writes == l.killAt {
		return errKilled
	}
	return nil
}

// start is one start of the lister on what the ledger remembers.
func start(s shelf, l *ledger, prefix string, parallel, size int, filter Filter) error {
	ctx := context.Background()
	cp := &checkpoint{Version: 1, Archive: "s3://b/" + prefix, Filter: filter, Started: time.Now()}
	if l.state != nil {
		if err := json.Unmarshal(l.state, cp); err != nil {
			return err
		}
	} else {
		var err error
		if cp.Shards, cp.Level, err = split(ctx, s, "b", prefix, parallel); err != nil {
			return err
		}
	}
	c, err := cp.Filter.compile(cp.Started)
	if err != nil {
		return err
	}
	lister := &lister{bucket: "b", prefix: prefix, level: cp.Level, topic: "backfill", size: size, filter: c, known: newKnown("b/", "sha"), list: s.list}
	w := &scribe{cp: cp, writer: l, topics: pipeline.TopicsConfig{Backfill: "backfill", State: "state"}, progress: func(Progress) {}}
	g, ctx := errgroup.WithContext(ctx)
	pages := make(chan page)
	for i, shard := range cp.Shards {
		if !shard.Done {
			w.left++
			g.Go(func() error { return lister.walk(ctx, i, shard, pages) })
		}
	}
	g.Go(func() error { return w.run(ctx, pages) })
	return g.Wait()
}

// outcome is what a reader of the topic makes of it.
type outcome struct {
	photos map[string]int // by key
	ended  map[string]int // albums, with the number of photos that the end names
	wrong  []string
}

func read(records []consumer.Record) outcome {
	o := outcome{map[string]int{}, map[string]int{}, nil}
	for _, r := range records {
		var v struct {
			Key, Album string
			Complete   string `json:"album_complete"`
			Photos     int
		}
		if err := json.Unmarshal(r.Value, &v); err != nil {
			o.wrong = append(o.wrong, err.Error())
		}
		switch _, over := o.ended[v.Album]; {
		case v.Complete != "":
			if _, twice := o.ended[v.Complete]; twice {
				o.wrong = append(o.wrong, fmt.Sprintf("album %q ends twice", v.Complete))
			}
			o.ended[v.Complete] = v.Photos
		case over:
			o.wrong = append(o.wrong, fmt.Sprintf("photo %q comes behind the end of its album", v.Key))
		default:
			o.photos[v.Key]++
		}
	}
	return o
}

// keys draws an archive: few names, so that files lie before, between and behind directories of similar names.
func keys() *rapid.Generator[[]string] {
	part := rapid.SampledFrom([]string{"a", "b", "a.d", "a-", "é", "c c", "", "x.jpg", "a.jpg", "0"})
	return rapid.Custom(func(t *rapid.T) []string {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			key := strings.Join(rapid.SliceOfN(part, 0, 4).Draw(t, "path"), "/")
			if key != "" {
				key += "/"
			}
			return key + rapid.SampledFrom([]string{"1.jpg", "2.JPG", "m.jpg", "z.png", "notes.txt", ""}).Draw(t, "name")
		}), 0, 60).Draw(t, "keys")
		slices.Sort(list)
		return slices.DeleteFunc(slices.Compact(list), func(k string) bool { return k == "" })
	})
}

// TestEveryPhotoOnceAndEveryAlbumEndsBehindIt lists archives of every shape, in ranges, and kills the lister at any transaction, as often as it likes: before
// the transaction, or behind it.
func TestEveryPhotoOnceAndEveryAlbumEndsBehindIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shelf(keys().Draw(t, "archive"))
		prefix := rapid.SampledFrom([]string{"", "", "a", "a/", "a/b/", "é/"}).Draw(t, "prefix")
		parallel, size := rapid.IntRange(1, 5).Draw(t, "ranges"), rapid.IntRange(1, 4).Draw(t, "page")
		l := &ledger{}
		for kills := rapid.IntRange(0, 4).Draw(t, "kills"); kills > 0; kills-- {
			l.killAt, l.kept = l.writes+rapid.IntRange(1, 6).Draw(t, "kill at"), rapid.Bool().Draw(t, "committed")
			if err := start(s, l, prefix, parallel, size, Filter{}); err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
		}
		l.killAt = 0
		if err := start(s, l, prefix, parallel, size, Filter{}); err != nil {
			t.Fatal(err)
		}
		want := outcome{photos: map[string]int{}, ended: map[string]int{}}
		for _, key := range s {
			if strings.HasPrefix(key, prefix) && (strings.HasSuffix(strings.ToLower(key), ".jpg") || strings.HasSuffix(key, ".png")) {
				want.photos[key] = 1
				if album := pipeline.AlbumOf(key); album != "" {
					want.ended[album]++
				}
			}
		}
		got := read(l.records)
		if len(got.wrong) > 0 || fmt.Sprint(got.photos) != fmt.Sprint(want.photos) || fmt.Sprint(got.ended) != fmt.Sprint(want.ended) {
			t.Fatalf("wrong: %v\n got %v\n     %v\nwant %v\n     %v", got.wrong, got.photos, got.ended, want.photos, want.ended)
		}
		var cp checkpoint
		if err := json.Unmarshal(l.state, &cp); err != nil || cp.Finished.IsZero() || cp.Counts.References != int64(len(want.photos)) || cp.Counts.Albums != int64(len(want.ended)) {
			t.Fatalf("the last checkpoint: %+v, %v", cp, err)
		}
		before := len(l.records)
		if err := start(s, l, prefix, parallel, size, Filter{}); err != nil || len(l.records) != before {
			t.Fatalf("a start behind the end: %v, %d records more", err, len(l.records)-before)
		}
	})
}

// TestRangesPartitionTheArchive: every key lies in one range, and albums but the level's in one as a whole.
func TestRangesPartitionTheArchive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shelf(keys().Draw(t, "archive"))
		shards, level, err := split(context.Background(), s, "b", "", rapid.IntRange(1, 6).Draw(t, "ranges"))
		if err != nil {
			t.Fatal(err)
		}
		home := map[string]int{}
		for _, key := range s {
			if strings.HasSuffix(key, "/") {
				continue
			}
			found := []int{}
			for i, r := range shards {
				if key > r.After && (r.Until == "" || key <= r.Until) {
					found = append(found, i)
				}
			}
			if len(found) != 1 {
				t.Fatalf("%q lies in the ranges %v of %+v", key, found, shards)
			}
			if dir := dirOf(key); dir != level {
				if before, seen := home[dir]; seen && before != found[0] {
					t.Fatalf("directory %q lies in two ranges of %+v, level %q", dir, shards, level)
				}
				home[dir] = found[0]
			}
		}
	})
}

func TestNestedDirectories(t *testing.T) {
	s := shelf{"a/1.jpg", "a/b/2.jpg", "a/c.jpg", "ab/3.jpg"}
	l := &ledger{}
	if err := start(s, l, "", 1, 2, Filter{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range l.records {
		got = append(got, string(r.Value))
	}
	want := []string{
		`{"bucket":"b","key":"a/1.jpg","album":"a"}`,
		`{"bucket":"b","key":"a/b/2.jpg","album":"a/b"}`,
		`{"album_complete":"a/b","photos":1}`,
		`{"bucket":"b","key":"a/c.jpg","album":"a"}`,
		`{"album_complete":"a","photos":2}`,
		`{"bucket":"b","key":"ab/3.jpg","album":"ab"}`,
		`{"album_complete":"ab","photos":1}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatTheFilterLeavesOut(t *testing.T) {
	began := time.Date(2026, 5, 10, 0, 0, 0, 0, time.UTC)
	object := func(change func(*pipeline.Listed)) pipeline.Listed {
		o := pipeline.Listed{Key: "rome/1.jpg", Size: 5000, Modified: began.Add(-48 * time.Hour)}
		change(&o)
		return o
	}
	key := func(k string) func(*pipeline.Listed) { return func(o *pipeline.Listed) { o.Key = k } }
	for _, row := range []struct {
		story  string
		filter Filter
		object pipeline.Listed
		want   string
	}{
		{"a photo", Filter{}, object(key("rome/1.JPeG")), ""},
		{"a film", Filter{}, object(key("rome/1.mov")), "no photo by its name"},
		{"a film that was asked for", Filter{Ext: []string{"MOV", ".jpg"}}, object(key("rome/1.mov")), ""},
		{"a folder's mark", Filter{Ext: []string{""}}, object(key("rome/")), "folder mark"},
		{"a name that no reference can hold", Filter{}, object(key("rome/\xff.jpg")), "name is not UTF-8"},
		{"a thumbnail by its size", Filter{MinSize: 5001}, object(key("a.jpg")), "too small"},
		{"older than asked for", Filter{Newer: "24h"}, object(key("a.jpg")), "too old"},
		{"new enough", Filter{Newer: "2026-05-07"}, object(key("a.jpg")), ""},
		{"newer than asked for", Filter{Older: "2026-05-07T12:00:00Z"}, object(key("a.jpg")), "too new"},
		{"a thumbnail by its name", Filter{Exclude: []string{"*_thumb.jpg"}}, object(key("a/b/c_thumb.jpg")), "excluded"},
		{"a directory", Filter{Exclude: []string{"a/private/"}}, object(key("a/private/x/c.jpg")), "excluded"},
		{"another directory", Filter{Exclude: []string{"private/"}}, object(key("a/private/c.jpg")), ""},
	} {
		c, err := row.filter.compile(began)
		if err != nil {
			t.Fatal(row.story, err)
		}
		if got := c.reason(row.object); got != row.want {
			t.Errorf("%s: %q, want %q", row.story, got, row.want)
		}
	}
	for _, f := range []Filter{{Newer: "yesterday"}, {Older: "5"}, {Exclude: []string{"[a"}}, {Sample: 1.5}, {Sample: -1}} {
		if _, err := f.compile(began); !errors.Is(err, ErrFilter) {
			t.Errorf("%+v: %v, want ErrFilter", f, err)
		}
	}
}

// TestASampleIsOfWholeAlbums: and the same one every time.
func TestASampleIsOfWholeAlbums(t *testing.T) {
	c, err := Filter{Sample: 0.2}.compile(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for album := range 1000 {
		in := 0
		for photo := range 5 {
			if c.reason(pipeline.Listed{Key: fmt.Sprintf("album-%d/%d.jpg", album, photo), Size: 1}) == "" {
				in++
			}
		}
		if in != 0 && in != 5 {
			t.Fatalf("album %d is in the sample with %d of 5 photos", album, in)
		}
		taken += in / 5
	}
	if taken < 150 || taken > 250 {
		t.Errorf("%d of 1000 albums are in a sample of a fifth", taken)
	}
}

// TestWhatHasALocationIsKnown tells the standing of a photo from the records of the locations topic, in their order.
func TestWhatHasALocationIsKnown(t *testing.T) {
	record := func(status, stage, sha, etag string) string {
		return fmt.Sprintf(`{"photo_id":"b/x/1.jpg","status":%q,"stage":%q,"model":{"sha256":%q},"source":{"etag":%q},"time":"2026-01-01T00:00:00Z"}`, status, stage, sha, etag)
	}
	for _, row := range []struct {
		story   string
		records []string // "" is a tombstone
		want    standing
	}{
		{"nothing", nil, unknown},
		{"located", []string{record("estimated", "photo", "sha", "e")}, located},
		{"abstained is an answer, too", []string{record("abstained", "photo", "sha", "e")}, located},
		{"by another bundle", []string{record("estimated", "photo", "old", "e")}, unknown},
		{"by another bundle since", []string{record("estimated", "photo", "sha", "e"), record("estimated", "photo", "old", "e")}, unknown},
		{"other bytes", []string{record("estimated", "photo", "sha", "f")}, unknown},
		{"taken away", []string{record("estimated", "photo", "sha", "e"), ""}, unknown},
		{"opted out", []string{record("opted_out", "photo", "", "")}, optedOut},
		{"opted out, and its album published once more", []string{record("opted_out", "photo", "", ""), record("estimated", "album", "sha", "e")}, optedOut},
		{"opted in again", []string{record("opted_out", "photo", "", ""), record("estimated", "photo", "sha", "e")}, located},
		{"rubbish", []string{record("estimated", "photo", "sha", "e"), "{"}, unknown},
	} {
		k := newKnown("b/x/", "sha")
		for _, r := range row.records {
			var value []byte
			if r != "" {
				value = []byte(r)
			}
			k.add([]byte("b/x/1.jpg"), value)
			k.add([]byte("b/other/1.jpg"), value)
		}
		if got := k.of("b/x/1.jpg", "e"); got != row.want || k.of("b/other/1.jpg", "e") != unknown {
			t.Errorf("%s: standing %d, want %d", row.story, got, row.want)
		}
	}
}
