package pipeline

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"planetag/enrich"
)

func TestAlbumRecordsRefuseWhatIsNotANumber(t *testing.T) {
	nan := math.NaN()
	for name, e := range map[string]Embedding{
		"NaN in the vector":      {Vector: []float32{1, float32(nan)}},
		"NaN as a probability":   {Top: []enrich.Candidate{{Cell: 1, P: nan}}},
		"a cell below the first": {Top: []enrich.Candidate{{Cell: -1}}},
	} {
		if value, err := EncodeEmbedding(e); !errors.Is(err, ErrEmbedding) || value != nil {
			t.Errorf("%s: encoded to %d bytes, %v", name, len(value), err)
		}
	}
	for _, kind := range []ControlKind{0, ControlMissing + 1} {
		if _, err := EncodeControl(Control{Kind: kind}); !errors.Is(err, ErrEmbedding) {
			t.Errorf("control of kind %d: %v", kind, err)
		}
	}
}

func TestDecodeAlbumRecordSaysWhatIsWrong(t *testing.T) {
	good, err := EncodeControl(exampleControl())
	if err != nil {
		t.Fatal(err)
	}
	embedding, err := EncodeEmbedding(exampleEmbedding())
	if err != nil {
		t.Fatal(err)
	}
	nowhere := exampleEmbedding()
	nowhere.Reference.Position.Lat = 91
	offTheEarth, err := EncodeEmbedding(nowhere)
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for _, row := range []struct {
		name, says string
		value      []byte
	}{
		{"nothing", "truncated", nil},
		{"somebody else's record", "not written by planetag", []byte(`{"key":1}`)},
		{"a record of the future", "version 2", change(2, 2)},
		{"a kind of the future", "kind 'Z'", change(3, 'Z')},
		{"a control of the future", "control kind 9", change(4, 9)},
		{"an embedding with an infinity", "element 3 of the embedding", append(bytes.Clone(embedding[:len(embedding)-2]), 0x00, 0x7c)},
		{"an embedding that has only begun", "truncated", embedding[:40]},
		{"a position off the earth", "position 91, 12.4922 is not on earth", offTheEarth},
		{"something behind the end", "left over", append(bytes.Clone(good), 0)},
		{"a string longer than the record", "truncated", append(bytes.Clone(good[:5]), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)},
	} {
		_, _, err := DecodeAlbumRecord(row.value)
		if !errors.Is(err, ErrEmbedding) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want it to say %q", row.name, err, row.says)
		}
	}
}

func TestEmbeddingBytesCountsWhatGrows(t *testing.T) {
	small := Embedding{}.Bytes()
	big := exampleEmbedding()
	big.Vector = make([]float32, 1280)
	big.Top = make([]enrich.Candidate, 32)
	if got := big.Bytes() - small; got < 4*1280+16*32 || got > 4*1280+16*32+1000 {
		t.Errorf("an embedding of 1280 numbers and 32 candidates holds %d bytes more than an empty one", got)
	}
}

func FuzzDecodeAlbumRecord(f *testing.F) {
	for _, e := range []Embedding{{}, exampleEmbedding()} {
		value, err := EncodeEmbedding(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
		f.Add(value[:len(value)/2])
	}
	control, err := EncodeControl(exampleControl())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(control)
	f.Add([]byte("PT\x01E\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, value []byte) {
		embedding, control, err := DecodeAlbumRecord(value)
		switch {
		case err != nil:
			if !errors.Is(err, ErrEmbedding) {
				t.Errorf("error %v is not ErrEmbedding", err)
			}
		case (embedding == nil) == (control == nil):
			t.Errorf("decoded to %v and %v", embedding, control)
		case embedding != nil: // whatever was read can be copied forward
			if again, err := EncodeEmbedding(*embedding); err != nil || len(again) > len(value) {
				t.Errorf("does not encode again: %d bytes, %v", len(again), err)
			}
		case control != nil:
			if again, err := EncodeControl(*control); err != nil || len(again) > len(value) {
				t.Errorf("does not encode again: %d bytes, %v", len(again), err)
			}
		}
	})
}
