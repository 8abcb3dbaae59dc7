package pipeline

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planetag/pipeline/mapping"
)

// event is an S3 event with a record for each of the names, which are "red.png" or "-red.png" for a removal.
func event(names ...string) string {
	var records []string
	for _, name := range names {
		what, key := "ObjectCreated:Put", name
		if rest, removed := strings.CutPrefix(name, "-"); removed {
			what, key = "ObjectRemoved:Delete", rest
		}
		records = append(records, fmt.Sprintf(`{"eventName":%q,"s3":{"bucket":{"name":"pics"},"object":{"key":%q}}}`, what, key))
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// TestOneRecordMayBeSeveralPhotos, or none: each part has its outcome, and all of them are in one transaction.
func TestOneRecordMayBeSeveralPhotos(t *testing.T) {
	red := paint(t, color.RGBA{R: 220, A: 255})
	var mu sync.Mutex
	reads := map[string]int{}
	s := startPhotoStage(t, fetchFunc(func(_ context.Context, ref Reference) (Object, error) {
		mu.Lock()
		defer mu.Unlock()
		reads[ref.Key]++
		switch {
		case strings.Contains(ref.Key, "gone"):
			return Object{}, fmt.Errorf("get: %w", ErrObjectGone)
		case strings.HasPrefix(ref.Key, "text"):
			return Object{Data: []byte("this is no photo")}, nil
		case strings.HasPrefix(ref.Key, "later") && reads[ref.Key] == 1:
			return Object{}, fmt.Errorf("get: %w", ErrStorage)
		}
		return Object{Data: red}, nil
	}))
	s.inputs = *reader(t, "s3-event")
	versioned := `{"Records":[{"eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"pics"},"object":{"key":"%s","versionId":"v1"}}}]}`
	tests := []struct{ name, value, want string }{
		{"none", event(), ""},
		{"a test event", `{"Event":"s3:TestEvent"}`, ""},
		{"one", event("red.png"), "location pics/red.png estimated"},
		{"several", event("red.png", "b/2.png", "-old.png"), "location pics/red.png estimated, location pics/b/2.png estimated, embedding b pics/b/2.png, tombstone pics/old.png"},
		{"written and removed again", event("red.png", "-red.png"), "location pics/red.png estimated, tombstone pics/red.png"},
		{"one of them is gone", event("red.png", "a/gone.png", "3.png"), "location pics/red.png estimated, location pics/3.png estimated, dead object_gone, missing a pics/a/gone.png"},
		{"two of them fail", event("gone.png", "text.png"), "dead object_gone"},
		{"the store fails in between", event("first.png", "later.png"), "location pics/first.png estimated, location pics/later.png estimated"},
		{"a version is gone, the photo is not", fmt.Sprintf(versioned, "red.png"), "location pics/red.png estimated"},
		{"a version is gone, and it was the last", fmt.Sprintf(versioned, "gone.png"), "tombstone pics/gone.png"},
		{"no event", `{"key":"a"}`, "dead unmapped"},
	}
	p := &partitionFake{}
	for _, tt := range tests {
		p.add("k", tt.value)
	}
	s.cfg.Photos.FlushRecords = 1 // a transaction for each record
	handleUntil(t, s, p, len(tests))
	if len(p.commits) != len(tests) {
		t.Fatalf("%d transactions for %d records", len(p.commits), len(tests))
	}
	for i, c := range p.commits {
		var got []string
		for _, rec := range c.records {
			got = append(got, describe(t, rec))
		}
		if diff := cmp.Diff(tests[i].want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s: %s", tests[i].name, diff)
		}
	}
	if reads["first.png"] != 1 || reads["later.png"] != 2 {
		t.Errorf("while the store failed, the photo before was read %d times and its own %d times; want 1 and 2", reads["first.png"], reads["later.png"])
	}
	dead := p.commits[5].records[2]
	if string(dead.Value) != tests[5].value || header(dead.Headers, headerErrorMessage) != "part 2 of 3: get: object is gone" {
		t.Errorf("dead letter %q of %s", header(dead.Headers, headerErrorMessage), dead.Value)
	}
	if both := header(p.commits[6].records[0].Headers, headerErrorMessage); !strings.Contains(both, "part 1 of 2: get: object is gone part 2 of 2: ") {
		t.Errorf("two failures say %q", both)
	}
}

func TestTransactionsCountPhotosAndNotRecords(t *testing.T) {
	red := paint(t, color.RGBA{R: 220, A: 255})
	s := startPhotoStage(t, fetchFunc(func(context.Context, Reference) (Object, error) { return Object{Data: red}, nil }))
	s.inputs = *reader(t, "s3-event")
	s.cfg.Photos.FlushRecords, s.cfg.Photos.FlushInterval = 6, Duration(1e12)
	p := &partitionFake{}
	for range 4 {
		p.add("k", event("1.png", "2.png", "3.png"))
	}
	handleUntil(t, s, p, 4)
	if len(p.commits) != 2 || len(p.commits[0].records) != 6 || p.commits[0].next != 2 {
		t.Errorf("%d transactions, the first %d records up to offset %d; want 2, 6 and 2", len(p.commits), len(p.commits[0].records), p.commits[0].next)
	}
}

// A program for the output that fails ends the worker: the photo is not lost, not dropped, and not published in another form.
func TestAFailingOutputMappingStopsTheStage(t *testing.T) {
	red := paint(t, color.RGBA{R: 220, A: 255})
	s := startPhotoStage(t, fetchFunc(func(context.Context, Reference) (Object, error) { return Object{Data: red}, nil }))
	for program, says := range map[string]string{
		`error("no")`: "no", `empty`: "0 outputs", `., .`: "2 outputs", `null`: "removal", `def f: f; f`: "did not end",
	} {
		compiled, err := mapping.Compile("output.map", program)
		if err != nil {
			t.Fatal(err)
		}
		s.output = OutputWriter{program: compiled}
		p := &partitionFake{}
		p.add("k", `{"bucket":"pics","key":"red.png"}`)
		err = s.handle(t.Context(), p)
		if !errors.Is(err, ErrConfig) || Judge(err) != Stop || !strings.Contains(err.Error(), says) || len(p.commits) != 0 {
			t.Errorf("%s: %v after %d transactions", program, err, len(p.commits))
		}
	}
}
