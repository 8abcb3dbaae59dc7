package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"planetag/consumer"
)

func TestDeadLetterLeavesTheInputUntouched(t *testing.T) {
	in := consumer.Record{
		Topic: "photos", Partition: 4, Offset: 1187, Key: []byte{0, 0xff}, Value: []byte("{broken"),
		Headers: []consumer.Header{{Key: "traceparent", Value: []byte("00-1")}, {Key: "nothing"}},
	}
	cause := fmt.Errorf("walk photo: %w: value is not\na JSON object", ErrReference)
	out := deadLetter("planetag.dead-letters", in, "photos", 2, cause)
	if !bytes.Equal(out.Key, in.Key) || !bytes.Equal(out.Value, in.Value) || out.Topic != "planetag.dead-letters" || out.Partition != -1 {
		t.Errorf("dead letter %+v", out)
	}
	want := [][2]string{
		{"traceparent", "00-1"},
		{"nothing", ""},
		{"error.type", "bad_reference"},
		{"error.message", "walk photo: bad reference: value is not a JSON object"},
		{"error.stage", "photos"},
		{"original.topic", "photos"},
		{"original.partition", "4"},
		{"original.offset", "1187"},
		{"attempt", "2"},
	}
	if diff := cmp.Diff(want, headersOf(out)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if out.Headers[1].Value != nil || len(in.Headers) != 2 {
		t.Error("the input's headers were changed")
	}
}

func headersOf(rec consumer.Record) (list [][2]string) {
	for _, h := range rec.Headers {
		list = append(list, [2]string{h.Key, string(h.Value)})
	}
	return list
}

func TestDeadLetterForgetsAnEarlierDeath(t *testing.T) {
	first := deadLetter("dead", consumer.Record{Topic: "photos", Offset: 1}, "photos", 1, ErrObjectGone)
	first.Topic, first.Offset = "photos", 99 // played back
	second := deadLetter("dead", first, "photos", 3, ErrReference)
	if len(second.Headers) != len(first.Headers) {
		t.Errorf("headers grew from %v to %v", headersOf(first), headersOf(second))
	}
	for _, h := range headersOf(second) {
		if h[0] == "original.offset" && h[1] != "99" || h[0] == "error.type" && h[1] != "bad_reference" {
			t.Errorf("%s is %s", h[0], h[1])
		}
	}
}

func TestDeadLetterBoundsItsMessage(t *testing.T) {
	out := deadLetter("dead", consumer.Record{}, "photos", 1, errors.New(strings.Repeat("é", 5000)+"\xff"))
	for _, h := range out.Headers {
		if h.Key == "error.message" && (len(h.Value) > maxReason || !utf8.Valid(h.Value) || !strings.HasSuffix(string(h.Value), "é…")) {
			t.Errorf("message of %d bytes: …%s", len(h.Value), h.Value[len(h.Value)-10:])
		}
	}
}

// A dead letter that is put back is the reference as it came, and its attempts are counted over its lives.
func TestADeadLetterRisesAsItCame(t *testing.T) {
	in := consumer.Record{
		Topic: "photos", Partition: 4, Offset: 1187, Key: []byte{0, 0xff}, Value: []byte("{broken"),
		Headers: []consumer.Header{{Key: "traceparent", Value: []byte("00-1")}, {Key: "nothing"}},
	}
	for life, want := range []string{"2", "5", "8"} {
		attempts := 3
		if life == 0 {
			attempts = 2
		}
		out := deadLetter("dead", in, "photos", attempts, ErrReference)
		d, err := ParseDeadRecord(out)
		if err != nil || d.Type != "bad_reference" || d.Stage != "photos" || d.Original.Partition != 4 || d.Original.Offset != 1187 {
			t.Fatalf("life %d: %+v, %v", life, d, err)
		}
		again := d.Again()
		if !bytes.Equal(again.Key, in.Key) || !bytes.Equal(again.Value, in.Value) || again.Topic != "photos" || again.Partition != -1 {
			t.Errorf("life %d: %+v", life, again)
		}
		if diff := cmp.Diff([][2]string{{"traceparent", "00-1"}, {"nothing", ""}, {"attempt", want}}, headersOf(again)); diff != "" {
			t.Errorf("life %d: headers (-want +got):\n%s", life, diff)
		}
		again.Partition, again.Offset = 4, 1187
		in = again
	}
	keyless := deadLetter("dead", consumer.Record{Topic: "photos", Partition: 4}, "photos", 1, ErrReference)
	if d, err := ParseDeadRecord(keyless); err != nil || d.Again().Partition != 4 {
		t.Errorf("without a key: %+v, %v", d.Again(), err)
	}
	for _, gone := range deadLetterHeaders() {
		broken := keyless
		broken.Headers = slices.DeleteFunc(slices.Clone(broken.Headers), func(h consumer.Header) bool { return h.Key == gone })
		if _, err := ParseDeadRecord(broken); !errors.Is(err, ErrDeadLetter) {
			t.Errorf("without %s: %v, want ErrDeadLetter", gone, err)
		}
	}
}
