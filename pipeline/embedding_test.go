package pipeline

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"planetag/enrich"
)

// exampleEmbedding has every field set, to values that float16 and float32 hold exactly.
func exampleEmbedding() Embedding {
	return Embedding{
		Reference: Reference{
			PhotoID: "images/album 7/my photo+1.jpg", Bucket: "images", Key: "album 7/my photo+1.jpg",
			VersionID: "3HL4kqtJ", ETag: "9a0364b9e99bb480dd25e1f0284c8555", Album: "rome-2019 · été",
			TakenAt:  time.Date(2019, 7, 1, 12, 0, 0, 500, time.UTC),
			Position: &Position{Lat: 41.8902, Lon: 12.4922, Source: "exif"}, Camera: "Canon EOS 80D",
		},
		Source: Source{
			Bucket: "images", Key: "album 7/my photo+1.jpg", VersionID: "3HL4kqtJ",
			ETag: "9a0364b9e99bb480dd25e1f0284c8555", Topic: "photos", Partition: 4, Offset: 1187,
		},
		Revision: 1561982400000, Model: strings.Repeat("ab", 32),
		Top:    []enrich.Candidate{{Cell: 12, P: 0.5}, {Cell: 299, P: 0.25}},
		Vector: []float32{0, -1, 0.5, 65504}, Copied: true, Original: 17,
	}
}

func exampleControl() Control {
	return Control{
		Kind: ControlClose, Album: "rome-2019", UpTo: 1187, Revision: 1561982400001, Photos: 14, Reason: "idle",
		At: time.Date(2019, 7, 1, 12, 0, 30, 0, time.UTC), PhotoID: "images/1.jpg",
	}
}

// TestAlbumRecordsKeepTheirWireForm compares with bytes that were written before: what is on a topic must stay readable.
func TestAlbumRecordsKeepTheirWireForm(t *testing.T) {
	embedding, err := EncodeEmbedding(exampleEmbedding())
	if err != nil {
		t.Fatal(err)
	}
	before := exampleEmbedding()
	before.Reference.Camera = "" // nobody asked for it
	without, err := EncodeEmbedding(before)
	if err != nil {
		t.Fatal(err)
	}
	control, err := EncodeControl(exampleControl())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string][]byte{"embedding_v1": without, "embedding_camera": embedding, "control_v1": control} {
		golden(t, name+".golden.hex", []byte(dump(value)))
	}
}

// dump writes 32 bytes a line, so that a difference shows where it is.
func dump(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		n := min(len(b), 32)
		s.WriteString(hex.EncodeToString(b[:n]) + "\n")
		b = b[n:]
	}
	return s.String()
}

// golden compares with testdata; PLANETAG_UPDATE_GOLDEN=1 writes it anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("PLANETAG_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestExamplesHaveEveryFieldSet(t *testing.T) {
	e := exampleEmbedding()
	e.Reference.OptOut = true // the one field that an embedding never has set
	for _, v := range []any{e, e.Reference, *e.Reference.Position, e.Source, exampleControl()} {
		for i, value := 0, reflect.ValueOf(v); i < value.NumField(); i++ {
			if value.Field(i).IsZero() {
				t.Errorf("%T.%s is not set, so nothing shows that it survives", v, value.Type().Field(i).Name)
			}
		}
	}
}

func TestAlbumRecordsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEmbedding(t)
		value, err := EncodeEmbedding(e)
		if err != nil {
			t.Fatal(err)
		}
		got, control, err := DecodeAlbumRecord(value)
		if err != nil || control != nil || got == nil {
			t.Fatalf("decoded %v, %v: %v", got, control, err)
		}
		if diff := cmp.Diff(e, *got); diff != "" {
			t.Fatalf("(-sent +received):\n%s", diff)
		}
		again, err := EncodeEmbedding(*got)
		if err != nil || !bytes.Equal(value, again) {
			t.Fatalf("encoding what was decoded gives other bytes: %v", err)
		}
		for cut := range len(value) { // no prefix of a record is a record
			if _, _, err := DecodeAlbumRecord(value[:cut]); !errors.Is(err, ErrEmbedding) {
				t.Fatalf("%d of %d bytes decode: %v", cut, len(value), err)
			}
		}
	})
}

func TestControlsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Control{
			Kind:  rapid.SampledFrom([]ControlKind{ControlClose, ControlComplete, ControlMissing}).Draw(t, "kind"),
			Album: rapid.String().Draw(t, "album"), UpTo: rapid.Int64().Draw(t, "up to"), Revision: rapid.Int64().Draw(t, "revision"),
			Photos: int(rapid.Int32().Draw(t, "photos")), Reason: rapid.String().Draw(t, "reason"), At: drawTime(t),
			PhotoID: rapid.String().Draw(t, "photo id"),
		}
		value, err := EncodeControl(c)
		if err != nil {
			t.Fatal(err)
		}
		embedding, got, err := DecodeAlbumRecord(value)
		if err != nil || embedding != nil || got == nil {
			t.Fatalf("decoded %v, %v: %v", embedding, got, err)
		}
		if diff := cmp.Diff(c, *got); diff != "" {
			t.Fatalf("(-sent +received):\n%s", diff)
		}
	})
}

// drawTime draws a time of any year that RFC 3339 can write, or none.
func drawTime(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "no time") {
		return time.Time{}
	}
	seconds := rapid.Int64Range(-62135596799, 253402300799).Draw(t, "seconds")
	return time.Unix(seconds, rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds")).UTC()
}

func drawReference(t *rapid.T) Reference {
	text := func(name string) string { return rapid.String().Draw(t, name) }
	ref := Reference{
		PhotoID: text("photo id"), Bucket: text("bucket"), Key: text("key"), VersionID: text("version id"), ETag: text("etag"),
		Album: text("album"), TakenAt: drawTime(t), OptOut: rapid.Bool().Draw(t, "opt out"),
	}
	if rapid.Bool().Draw(t, "has position") {
		ref.Position = &Position{
			Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"), Source: text("source"),
		}
	}
	return ref
}

func drawEmbedding(t *rapid.T) Embedding {
	e := Embedding{
		Reference: drawReference(t), Revision: rapid.Int64().Draw(t, "revision"), Model: rapid.String().Draw(t, "model"),
		Copied: rapid.Bool().Draw(t, "copied"), Original: rapid.Int64().Draw(t, "original"),
		Source: Source{
			Bucket: rapid.String().Draw(t, "bucket"), Key: rapid.String().Draw(t, "key"), VersionID: rapid.String().Draw(t, "version"),
			ETag: rapid.String().Draw(t, "etag"), Topic: rapid.String().Draw(t, "topic"),
			Partition: int(rapid.Int32().Draw(t, "partition")), Offset: rapid.Int64().Draw(t, "offset"),
		},
	}
	e.Reference.Camera = rapid.String().Draw(t, "camera")
	for range rapid.IntRange(0, 5).Draw(t, "candidates") {
		e.Top = append(e.Top, enrich.Candidate{
			Cell: int(rapid.Uint32().Draw(t, "cell")), P: float64(rapid.Float32Range(0, 1).Draw(t, "p")),
		})
	}
	for range rapid.IntRange(0, 20).Draw(t, "width") {
		half := fromHalf(rapid.Uint16().Filter(func(h uint16) bool { return h&0x7c00 != 0x7c00 }).Draw(t, "half"))
		e.Vector = append(e.Vector, half)
	}
	return e
}
