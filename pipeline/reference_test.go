package pipeline

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"planetag/consumer"
)

func TestParseReferenceUnderstands(t *testing.T) {
	when := time.Date(2019, 7, 1, 10, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name, value string
		want        Input
	}{
		{"the least: a key; the rest follows from it", `{"key":"album 7/my photo+1.jpg"}`, photo(Reference{
			PhotoID: "images/album 7/my photo+1.jpg", Bucket: "images", Key: "album 7/my photo+1.jpg", Album: "album 7",
		})},
		{
			"everything", `{"bucket":"b-1","key":"k.jpg","version_id":"v","etag":"e","album":"rome-2019","photo_id":"p",
			"taken_at":"2019-07-01T12:00:00+02:00","position":{"lat":41.89,"lon":12.49,"source":"gps"},"opt_out":true}`,
			photo(Reference{
				PhotoID: "p", Bucket: "b-1", Key: "k.jpg", VersionID: "v", ETag: "e", Album: "rome-2019", TakenAt: when,
				Position: &Position{41.89, 12.49, "gps"}, OptOut: true,
			}),
		},
		{"an object at the root has no album", `{"key":"1.jpg"}`, photo(Reference{PhotoID: "images/1.jpg", Bucket: "images", Key: "1.jpg"})},
		{
			"a deep key's album is its whole directory", `{"key":"2019/rome/1.jpg"}`,
			photo(Reference{PhotoID: "images/2019/rome/1.jpg", Bucket: "images", Key: "2019/rome/1.jpg", Album: "2019/rome"}),
		},
		{
			"an album that is given as empty is none", `{"key":"rome/1.jpg","album":""}`,
			photo(Reference{PhotoID: "images/rome/1.jpg", Bucket: "images", Key: "rome/1.jpg"}),
		},
		{
			"null counts as absent", `{"key":"rome/1.jpg","album":null,"taken_at":null,"position":null,"etag":null}`,
			photo(Reference{PhotoID: "images/rome/1.jpg", Bucket: "images", Key: "rome/1.jpg", Album: "rome"}),
		},
		{
			"quotes around an etag belong to HTTP", `{"key":"1.jpg","etag":"\"9a03\""}`,
			photo(Reference{PhotoID: "images/1.jpg", Bucket: "images", Key: "1.jpg", ETag: "9a03"}),
		},
		{
			"a position on the date line without a source", `{"key":"1.jpg","position":{"lat":-90,"lon":-180}}`,
			photo(Reference{PhotoID: "images/1.jpg", Bucket: "images", Key: "1.jpg", Position: &Position{-90, -180, "reference"}}),
		},
		{
			"unknown fields, and known ones in other letters, are not ours", `{"key":"1.jpg","Key":5,"BUCKET":[],"size":-1}`,
			photo(Reference{PhotoID: "images/1.jpg", Bucket: "images", Key: "1.jpg"}),
		},
		{
			"keys of every script", `{"key":"夏/été ☀.jpg"}`,
			photo(Reference{PhotoID: "images/夏/été ☀.jpg", Bucket: "images", Key: "夏/été ☀.jpg", Album: "夏"}),
		},
		{
			"an album is complete", `{"album_complete":"rome-2019","photos":14}`,
			Input{Kind: AlbumCompleteInput, Reference: Reference{Album: "rome-2019"}, AlbumPhotos: 14},
		},
		{
			"an album of unknown size is complete", `{"album_complete":"rome-2019"}`,
			Input{Kind: AlbumCompleteInput, Reference: Reference{Album: "rome-2019"}},
		},
	} {
		got, err := ParseReference(consumer.Record{Value: []byte(row.value)}, "images")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func photo(ref Reference) Input { return Input{Kind: PhotoInput, Reference: ref} }

func TestParseReferenceUnderstandsRemovals(t *testing.T) {
	for _, value := range []string{"", "null"} {
		rec := consumer.Record{Key: []byte("images/album 7/my photo+1.jpg"), Value: []byte(value)}
		if value == "" {
			rec.Value = nil
		}
		got, err := ParseReference(rec, "")
		want := Input{Kind: RemovedInput, Reference: Reference{PhotoID: "images/album 7/my photo+1.jpg", Album: "album 7"}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("value %q: %v (-want +got):\n%s", value, err, diff)
		}
	}
}

func TestParseReferenceSaysWhatIsWrong(t *testing.T) {
	for _, row := range []struct{ name, key, value, says string }{
		{"not JSON", "", `key=1.jpg`, "value is not a JSON object"},
		{"cut off", "", `{"key":"1.jpg"`, "value is not a JSON object"},
		{"a list", "", `[{"key":"1.jpg"}]`, "value is not a JSON object"},
		{"a string", "", `"1.jpg"`, "value is not a JSON object"},
		{"two objects", "", `{"key":"1.jpg"}{"key":"2.jpg"}`, "value is not a JSON object"},
		{"an empty value, which is not a null", "", ``, "value is not a JSON object"},
		{"bytes that are not UTF-8 would name another object", "", "{\"key\":\"\xff.jpg\"}", "not UTF-8"},
		{"no key", "", `{"bucket":"images"}`, "key is missing"},
		{"an empty key", "", `{"bucket":"images","key":""}`, "key is missing"},
		{"no bucket anywhere", "", `{"key":"1.jpg"}`, "bucket is missing; name it in the reference or set s3.bucket"},
		{"a bucket that cannot be", "", `{"bucket":"a/b","key":"1.jpg"}`, `bucket "a/b" is not a bucket name`},
		{"a key of the wrong type", "", `{"bucket":"images","key":7}`, "key is 7, which is not a string"},
		{"a key that S3 cannot hold", "", `{"bucket":"images","key":"` + strings.Repeat("k", 1025) + `"}`, "key has 1025 bytes, at most 1024"},
		{"a date without a time", "", `{"bucket":"images","key":"k","taken_at":"2019-07-01"}`, `taken_at is "2019-07-01", which is not a time like 2019-07-01T12:00:00Z`},
		{"a position that is not a number", "", `{"bucket":"images","key":"k","position":{"lat":"NaN","lon":1}}`, "position is"},
		{"a position that is NaN", "", `{"bucket":"images","key":"k","position":{"lat":NaN,"lon":1}}`, "value is not a JSON object"},
		{"a position beyond all numbers", "", `{"bucket":"images","key":"k","position":{"lat":1e999,"lon":1}}`, "position is"},
		{"a position without a longitude", "", `{"bucket":"images","key":"k","position":{"lat":1}}`, "position lacks lat or lon"},
		{"latitude and longitude swapped", "", `{"bucket":"images","key":"k","position":{"lat":139.7,"lon":35.6}}`, "position 139.7, 35.6 is not on earth"},
		{"an opt-out that is neither yes nor no", "", `{"bucket":"images","key":"k","opt_out":"yes"}`, "opt_out is \"yes\", which is not true or false"},
		{"an S3 event", "", `{"EventName":"s3:ObjectCreated:Put","Key":"images/k","Records":[]}`, "S3 event notification"},
		{"an album without a name", "", `{"album_complete":""}`, "album_complete is empty"},
		{"a negative number of photos", "", `{"album_complete":"a","photos":-1}`, "photos is -1"},
		{"half a photo", "", `{"album_complete":"a","photos":1.5}`, "photos is 1.5, which is not a whole number"},
		{"a removal of nothing", "", `null`, "a removal needs the photo id as its key"},
		{"a removal of what cannot be a photo id", "\xff", `null`, "is not a photo id"},
		{"an id that is too long", "", `{"bucket":"images","key":"k","photo_id":"` + strings.Repeat("i", 2049) + `"}`, "photo_id has 2049 bytes"},
	} {
		_, err := ParseReference(consumer.Record{Key: []byte(row.key), Value: []byte(row.value)}, "")
		if !errors.Is(err, ErrReference) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want it to say %q", row.name, err, row.says)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%s: a message of %d bytes is not for people", row.name, len(err.Error()))
		}
	}
}

func TestParseReferenceReadsWhatAProducerWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawReference(t)
		want.Bucket = rapid.StringMatching(`[a-z0-9][a-z0-9.-]{1,60}[a-z0-9]`).Draw(t, "bucket")
		want.Key = rapid.StringN(1, 200, 1024).Draw(t, "key")
		want.ETag = strings.Trim(want.ETag, `"`)
		if want.PhotoID == "" {
			want.PhotoID = want.Bucket + "/" + want.Key
		}
		value, err := json.Marshal(wireReference(want))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseReference(consumer.Record{Value: value}, "another")
		if err != nil {
			t.Fatalf("%s: %v", value, err)
		}
		if diff := cmp.Diff(photo(want), got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", value, diff)
		}
	})
}

// wireReference is ref as a producer would write it.
func wireReference(ref Reference) map[string]any {
	m := map[string]any{
		"photo_id": ref.PhotoID, "bucket": ref.Bucket, "key": ref.Key, "version_id": ref.VersionID, "etag": ref.ETag,
		"album": ref.Album, "opt_out": ref.OptOut,
	}
	if !ref.TakenAt.IsZero() {
		m["taken_at"] = ref.TakenAt
	}
	if p := ref.Position; p != nil {
		m["position"] = map[string]any{"lat": p.Lat, "lon": p.Lon, "source": p.Source}
		if p.Source == "" {
			p.Source = "reference"
		}
	}
	return m
}

func FuzzParseReference(f *testing.F) {
	f.Add([]byte("images/album 7/my photo+1.jpg"), []byte("null"))
	for _, value := range []string{
		`{"bucket":"images","key":"album 7/my photo+1.jpg"}`, `{"key":"k","position":{"lat":1e308,"lon":-1}}`,
		`{"album_complete":"rome","photos":3}`, `{"key":"\ud800"}`, `{"key":"k","taken_at":"0000-01-01T00:00:00Z"}`, `{`, `[]`, "\xff",
	} {
		f.Add([]byte(nil), []byte(value))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		in, err := ParseReference(consumer.Record{Key: key, Value: value}, "images")
		ref := in.Reference
		switch {
		case err != nil:
			if !errors.Is(err, ErrReference) || !utf8.ValidString(errorMessage(err)) {
				t.Errorf("error %q", err)
			}
		case in.Kind == AlbumCompleteInput:
			if ref.Album == "" || in.AlbumPhotos < 0 {
				t.Errorf("complete album %+v", in)
			}
		case ref.PhotoID == "" || !utf8.ValidString(ref.PhotoID):
			t.Errorf("photo id %q", ref.PhotoID)
		case in.Kind == PhotoInput && (ref.Bucket == "" || ref.Key == "" || len(ref.Key) > maxKeyBytes || ref.Position != nil && !ref.Position.onEarth()):
			t.Errorf("photo %+v", ref)
		}
	})
}
