package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planetag/consumer"
)

// TestEveryInputHasItsOutcome walks one of each kind of input and names what is published for it.
func TestEveryInputHasItsOutcome(t *testing.T) {
	red, grey := paint(t, color.RGBA{R: 220, A: 255}), paint(t, color.Gray{Y: 30})
	s := startPhotoStage(t, fetchFunc(func(_ context.Context, ref Reference) (Object, error) {
		switch {
		case strings.HasPrefix(ref.Key, "red"):
			return Object{Data: red, ETag: "e1"}, nil
		case strings.HasPrefix(ref.Key, "grey"):
			return Object{Data: grey}, nil
		case ref.Key == "text.jpg":
			return Object{Data: []byte("this is no photo")}, nil
		}
		return Object{}, fmt.Errorf("get %s/%s: %w", ref.Bucket, ref.Key, ErrObjectGone)
	}))
	tests := []struct{ name, key, value, want string }{
		{"a photo without an album", "k", `{"bucket":"pics","key":"red.png"}`, "location pics/red.png estimated"},
		{"a photo of an album", "k", `{"bucket":"pics","key":"red.png","album":"a"}`, "location pics/red.png estimated, embedding a pics/red.png"},
		{"nothing to see", "k", `{"bucket":"pics","key":"grey.png"}`, "location pics/grey.png abstained"},
		{"a position wins", "k", `{"bucket":"pics","key":"red.png","position":{"lat":1,"lon":2}}`, "location pics/red.png given"},
		{"opted out", "k", `{"bucket":"pics","key":"red.png","album":"a","opt_out":true}`, "location pics/red.png opted_out, missing a pics/red.png"},
		{"removed", "pics/red.png", "", "tombstone pics/red.png"},
		{"complete", "k", `{"album_complete":"a","photos":7}`, "complete a 7"},
		{"no JSON", "k", `{"bucket"`, "dead bad_reference"},
		{"gone", "k", `{"bucket":"pics","key":"gone.png","album":"a"}`, "dead object_gone, missing a pics/gone.png"},
		{"a text file", "k", `{"bucket":"pics","key":"text.jpg","album":""}`, "dead unknown_format"},
	}
	p := &partitionFake{}
	var want []string
	for _, tt := range tests {
		p.add(tt.key, tt.value)
		want = append(want, tt.want)
	}
	handleUntil(t, s, p, len(tests))
	var got []string
	for _, c := range p.commits {
		for _, rec := range c.records {
			got = append(got, describe(t, rec))
		}
	}
	if diff := cmp.Diff(strings.Join(want, ", "), strings.Join(got, ", ")); diff != "" {
		t.Error(diff)
	}
}

// describe puts a published record in a few words.
func describe(t *testing.T, rec consumer.Record) string {
	t.Helper()
	switch {
	case rec.Topic == "dead":
		for _, h := range rec.Headers {
			if h.Key == "error.type" {
				return "dead " + string(h.Value)
			}
		}
	case rec.Topic == "locations" && rec.Value == nil:
		return "tombstone " + string(rec.Key)
	case rec.Topic == "locations":
		var l Location
		if err := json.Unmarshal(rec.Value, &l); err != nil {
			t.Fatal(err)
		}
		if rec.Headers[0].Key != "traceparent" || l.Source.Partition != 2 || l.Revision != albumDay.UnixMilli() {
			t.Errorf("location %+v with headers %v", l, rec.Headers)
		}
		return "location " + string(rec.Key) + " " + l.Status
	}
	e, c, err := DecodeAlbumRecord(rec.Value)
	switch {
	case err != nil:
		t.Fatal(err)
	case e != nil:
		return "embedding " + string(rec.Key) + " " + e.Reference.PhotoID
	case c.Kind == ControlComplete:
		return fmt.Sprint("complete ", c.Album, " ", c.Photos)
	}
	return "missing " + c.Album + " " + c.PhotoID
}

// TestOffsetsFollowTheAnswers lets photos finish in any order, and some fail a few times: whatever the commits are, each
// holds exactly the answers between the last offset and its own, in order.
func TestOffsetsFollowTheAnswers(t *testing.T) {
	nothingStays(t) // looks behind the clean-up of the stage
	const photos = 300
	red := paint(t, color.RGBA{R: 220, A: 255})
	var mu sync.Mutex
	failed := map[string]bool{}
	s := startPhotoStage(t, fetchFunc(func(ctx context.Context, ref Reference) (Object, error) {
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if rand.IntN(20) == 0 && !failed[ref.Key] {
			failed[ref.Key] = true
			return Object{}, ErrStorage
		}
		return Object{Data: red}, nil
	}))
	s.budget = NewBudget(3 * photoReserve) // far less than what may be in flight: it must delay, not deadlock
	p := &partitionFake{}
	for i := range photos {
		p.add("k", fmt.Sprintf(`{"bucket":"pics","key":"%d.png","album":""}`, i))
	}
	handleUntil(t, s, p, photos)
	next := int64(0)
	for _, c := range p.commits {
		if int64(len(c.records)) != c.next-next {
			t.Fatalf("a commit from %d to %d holds %d answers", next, c.next, len(c.records))
		}
		for _, rec := range c.records {
			if want := fmt.Sprintf("pics/%d.png", next); string(rec.Key) != want {
				t.Fatalf("offset %d: answer for %s", next, rec.Key)
			}
			next++
		}
	}
}

// TestSlowPhotoHoldsTheOffset: what lies behind an unfinished photo is not committed, and is not lost when the worker ends.
func TestSlowPhotoHoldsTheOffset(t *testing.T) {
	red := paint(t, color.RGBA{R: 220, A: 255})
	healed := make(chan struct{})
	s := startPhotoStage(t, fetchFunc(func(ctx context.Context, ref Reference) (Object, error) {
		if ref.Key == "2.png" {
			select {
			case <-healed:
			case <-ctx.Done():
				return Object{}, ctx.Err()
			}
		}
		return Object{Data: red}, nil
	}))
	p := &partitionFake{}
	for i := range 6 {
		p.add("k", fmt.Sprintf(`{"bucket":"pics","key":"%d.png","album":""}`, i))
	}
	handleUntil(t, s, p, 2)
	close(healed)
	p.at = 2 // the next owner starts at the committed offset
	handleUntil(t, s, p, 6)
}

// TestReadyPhotosAreCommittedAtTheEnd: a stop between two flushes does not throw finished work away.
func TestReadyPhotosAreCommittedAtTheEnd(t *testing.T) {
	red := paint(t, color.RGBA{R: 220, A: 255})
	s := startPhotoStage(t, fetchFunc(func(context.Context, Reference) (Object, error) { return Object{Data: red}, nil }))
	s.cfg.Photos.FlushInterval = Duration(time.Hour)
	p := &partitionFake{}
	for i := range 4 {
		p.add("k", fmt.Sprintf(`{"bucket":"pics","key":"%d.png","album":""}`, i))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.handle(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("handle: %v", err)
	}
	if got := p.committed(); got != 4 {
		t.Fatalf("committed offset %d, want 4", got)
	}
}

// TestFailedCommitEndsTheAssignment: the reason reaches the group, which fences and starts again from the offset.
func TestFailedCommitEndsTheAssignment(t *testing.T) {
	nothingStays(t) // looks behind the clean-up of the stage
	red := paint(t, color.RGBA{R: 220, A: 255})
	s := startPhotoStage(t, fetchFunc(func(context.Context, Reference) (Object, error) { return Object{Data: red}, nil }))
	p := &partitionFake{failing: consumer.ErrRestart}
	for i := range 200 { // more than may be in flight: the reader is blocked when the end comes
		p.add("k", fmt.Sprintf(`{"bucket":"pics","key":"%d.png","album":""}`, i))
	}
	if err := s.handle(context.Background(), p); !errors.Is(err, consumer.ErrRestart) {
		t.Fatalf("handle: %v", err)
	}
}
