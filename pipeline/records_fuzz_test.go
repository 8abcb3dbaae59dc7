package pipeline

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"planetag/consumer"
)

// FuzzAlbumRecordStaysTheSame reads whatever is readable, writes it, and reads it again: an album that is copied forward over and over must not change.
func FuzzAlbumRecordStaysTheSame(f *testing.F) {
	embedding, err := EncodeEmbedding(exampleEmbedding())
	if err != nil {
		f.Fatal(err)
	}
	control, err := EncodeControl(exampleControl())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{embedding, control, embedding[:40], control[:9], []byte("PT\x01C"), []byte("PT\x02E"), []byte("pt\x01E"), nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, c, err := DecodeAlbumRecord(value)
		var again []byte
		switch {
		case err != nil:
			if e != nil || c != nil || !errors.Is(err, ErrEmbedding) {
				t.Fatalf("%v, %v beside %v", e, c, err)
			}
			return
		case e != nil:
			again, err = EncodeEmbedding(*e)
		default:
			again, err = EncodeControl(*c)
		}
		if err != nil {
			t.Fatalf("was read and cannot be written: %v", err)
		}
		e2, c2, err := DecodeAlbumRecord(again)
		if err != nil {
			t.Fatalf("was written and cannot be read: %v", err)
		}
		if diff := cmp.Diff(e, e2, cmpopts.EquateNaNs()) + cmp.Diff(c, c2, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("changed (-before +after):\n%s", diff)
		}
	})
}

// FuzzDeadLetter buries whatever came: the input is untouched, and the reason stands behind it once, also after a second death.
func FuzzDeadLetter(f *testing.F) {
	f.Add([]byte("k"), []byte("{broken"), "traceparent", []byte("00-1"), "photos", "value is not\na JSON object")
	f.Add([]byte(nil), []byte(nil), "error.type", []byte("old"), "", "\xff\xfe")
	f.Add([]byte{0}, []byte{}, "attempt", []byte(nil), "dead", "\u00e9")
	f.Fuzz(func(t *testing.T, key, value []byte, name string, content []byte, topic, reason string) {
		in := consumer.Record{
			Topic: topic, Partition: 2, Offset: 9, Key: key, Value: value,
			Headers: []consumer.Header{{Key: name, Value: content}, {Key: "", Value: nil}, {Key: name, Value: content}},
		}
		out := deadLetter("dead", in, "photos", 1, errors.New(reason))
		if !bytes.Equal(out.Key, key) || !bytes.Equal(out.Value, value) || len(in.Headers) != 3 {
			t.Fatalf("changed to %+v", out)
		}
		ours := deadLetterHeaders()
		kept := slices.DeleteFunc(slices.Clone(out.Headers), func(h consumer.Header) bool { return slices.Contains(ours, h.Key) })
		own := slices.DeleteFunc(slices.Clone(in.Headers), func(h consumer.Header) bool { return slices.Contains(ours, h.Key) })
		if diff := cmp.Diff(own, kept); diff != "" || len(out.Headers) != len(kept)+len(ours) {
			t.Errorf("headers %v: %s", out.Headers, diff)
		}
		for _, h := range out.Headers {
			if h.Key == headerErrorMessage && (len(h.Value) > maxReason || !utf8.Valid(h.Value) || bytes.ContainsAny(h.Value, "\r\n")) {
				t.Errorf("message %q", h.Value)
			}
		}
		if again := deadLetter("dead", out, "photos", 2, errors.New(reason)); len(again.Headers) != len(out.Headers) {
			t.Errorf("a second death made %d headers of %d", len(again.Headers), len(out.Headers))
		}
	})
}
