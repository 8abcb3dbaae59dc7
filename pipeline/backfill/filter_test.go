package backfill

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"planetag/pipeline"
)

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
