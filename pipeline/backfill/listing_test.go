package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"planetag/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
