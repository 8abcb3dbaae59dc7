package consumer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

// FuzzRecordsComeBack writes two records as the producer does and reads them as the reader does.
func FuzzRecordsComeBack(f *testing.F) {
	f.Add([]byte("images/a.jpg"), []byte(`{"key":"a.jpg"}`), "traceparent", []byte("00-1"), int64(1_800_000_000_000), int64(7))
	f.Add([]byte(nil), []byte(nil), "", []byte(nil), int64(0), int64(-1))
	f.Add(bytes.Repeat([]byte{0xff}, 300), []byte{}, "\xff", []byte{}, int64(1), int64(1<<40))
	f.Fuzz(func(t *testing.T, key, value []byte, name string, content []byte, at, producer int64) {
		at = max(1, at%(1<<45)) // kafka knows no time before 1970, and kafka-go takes 1970 itself for "now"
		want := []Record{
			{Key: key, Value: value, Headers: []Header{{name, content}, {name, nil}}, Time: time.UnixMilli(at)},
			{Key: value, Value: key, Time: time.UnixMilli(at + 1)},
		}
		wire, err := encode(want, identity{id: producer, epoch: 3, transactional: producer > 0}, 5)
		if err != nil {
			t.Fatal(err)
		}
		b, rest, ok, err := cutBatch(wire[4:])
		if err != nil || !ok || len(rest) != 0 || b.producer != producer || b.transactional() != (producer > 0) {
			t.Fatalf("%+v, %d left, %v, %v", b, len(rest), ok, err)
		}
		got, err := b.records(nil, "t", 3, 0)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d records, %v", len(got), err)
		}
		for i, w := range want {
			if g := got[i]; !same(g, w) || g.Offset != int64(i) || g.Topic != "t" || g.Partition != 3 {
				t.Errorf("wrote %+v, read %+v", w, g)
			}
		}
	})
}

func same(a, b Record) bool {
	if !bytes.Equal(a.Key, b.Key) || !bytes.Equal(a.Value, b.Value) || !a.Time.Equal(b.Time) || len(a.Headers) != len(b.Headers) {
		return false
	}
	if (a.Key == nil) != (b.Key == nil) || (a.Value == nil) != (b.Value == nil) { // a tombstone is not an empty value
		return false
	}
	for i := range a.Headers {
		if a.Headers[i].Key != b.Headers[i].Key || !bytes.Equal(a.Headers[i].Value, b.Headers[i].Value) {
			return false
		}
	}
	return true
}

// FuzzBatchBehindItsChecksum damages what a checksum that is right covers, which a fuzzer of whole answers hardly ever gets to see.
func FuzzBatchBehindItsChecksum(f *testing.F) {
	f.Add(append(rawRecord(0, 'a'), rawRecord(1, 'b')...), int64(0), int32(1), int16(0), int32(2), int64(0))
	f.Add(rawRecord(0, 'c'), int64(9), int32(0), int16(controlBit|transactionalBit), int32(1), int64(9))
	f.Add([]byte{28, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f}, int64(0), int32(0), int16(0), int32(1), int64(0)) // headers without end
	for _, codec := range []compress.Compression{compress.Gzip, compress.Snappy, compress.Lz4, compress.Zstd, 5} {
		f.Add([]byte("not packed"), int64(0), int32(0), int16(codec), int32(1), int64(0))
	}
	f.Fuzz(func(t *testing.T, payload []byte, base int64, delta int32, attributes int16, count int32, from int64) {
		b, rest, ok, err := cutBatch(rawBatch(base, delta, attributes, 7, count, payload))
		if err != nil || !ok {
			if ok || !errors.Is(err, errCorrupt) {
				t.Fatalf("refused by %v", err)
			}
			return
		}
		if len(rest) != 0 || b.last < b.base || b.base < 0 {
			t.Fatalf("batch %+v, %d left", b, len(rest))
		}
		records, err := b.records(nil, "t", 0, from)
		if err != nil && !errors.Is(err, errCorrupt) {
			t.Fatalf("refused by %v", err)
		}
		size := 0
		for _, r := range records {
			if r.Offset < from {
				t.Fatalf("record at %d, asked from %d", r.Offset, from)
			}
			size += len(r.Key) + len(r.Value)
		}
		plain, err := b.inflate()
		if err == nil && size > len(plain) || len(records) > int(b.count) {
			t.Fatalf("%d records of %d bytes out of %d records of %d", len(records), size, b.count, len(plain))
		}
	})
}

// TestAClaimedHeaderCostsNothing reads a record of 4 MiB that claims a header for every second byte and has none.
func TestAClaimedHeaderCostsNothing(t *testing.T) {
	const claimed = 2 << 20
	body := append(rawRecord(0, 'a')[1:], 0)
	body = append(binary.AppendVarint(body[:len(body)-2], claimed), bytes.Repeat([]byte{0xff}, 2*claimed)...)
	b, _, ok, err := cutBatch(rawBatch(0, 0, 0, 7, 1, append(binary.AppendVarint(nil, int64(len(body))), body...)))
	if err != nil || !ok {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = b.records(nil, "t", 0, 0)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, errCorrupt) || grown > 8<<20 {
		t.Errorf("%v after %d bytes", err, grown)
	}
}
