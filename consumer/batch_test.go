package consumer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go/compress"
	"pgregory.net/rapid"
)

func anyRecord() *rapid.Generator[Record] {
	bytesOrNull := rapid.Custom(func(t *rapid.T) []byte {
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")
		return append([]byte{}, b...)
	})
	return rapid.Custom(func(t *rapid.T) Record {
		r := Record{
			Topic: "t", Partition: 3,
			Time: time.UnixMilli(rapid.Int64Range(1, 4e12).Draw(t, "ms")),
			Key:  bytesOrNull.Draw(t, "key"), Value: bytesOrNull.Draw(t, "value"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			r.Headers = append(r.Headers, Header{rapid.String().Draw(t, "name"), bytesOrNull.Draw(t, "header")})
		}
		return r
	})
}

func TestBatchKeepsEveryByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(anyRecord(), 1, 30).Draw(t, "records")
		by := identity{rapid.Int64Range(0, 1<<40).Draw(t, "id"), rapid.Int16().Draw(t, "epoch"), rapid.Bool().Draw(t, "txn")}
		sequence := rapid.Int32Range(0, math.MaxInt32).Draw(t, "sequence")
		wire, err := encode(records, by, sequence)
		if err != nil {
			t.Fatal(err)
		}
		b, rest, whole, err := cutBatch(wire[4:])
		if err != nil || !whole || len(rest) != 0 {
			t.Fatalf("whole %v, rest %d, %v", whole, len(rest), err)
		}
		if b.producer != by.id || b.transactional() != by.transactional || b.control() || b.last != int64(len(records)-1) {
			t.Fatalf("batch %+v of %+v", b, by)
		}
		epoch, first := int16(binary.BigEndian.Uint16(wire[epochAt:])), int32(binary.BigEndian.Uint32(wire[sequenceAt:]))
		if epoch != by.epoch || first != sequence {
			t.Fatalf("epoch %d, sequence %d, want %d, %d", epoch, first, by.epoch, sequence)
		}
		got, err := b.records(nil, "t", 3, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			records[i].Offset = int64(i)
		}
		if diff := cmp.Diff(records, got); diff != "" {
			t.Fatalf("read back (-want +got):\n%s", diff)
		}
	})
}

// rawBatch makes a batch as a broker could hold it, from encoded records.
func rawBatch(base int64, last int32, attributes int16, producer int64, count int32, payload []byte) []byte {
	b := make([]byte, batchHeader, batchHeader+len(payload))
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[8:], uint32(batchHeader-12+len(payload)))
	b[16] = 2
	binary.BigEndian.PutUint16(b[21:], uint16(attributes))
	binary.BigEndian.PutUint32(b[23:], uint32(last))
	binary.BigEndian.PutUint64(b[27:], 1000)
	binary.BigEndian.PutUint64(b[35:], 5000)
	binary.BigEndian.PutUint64(b[43:], uint64(producer))
	binary.BigEndian.PutUint32(b[57:], uint32(count))
	b = append(b, payload...)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// rawRecord is a record with a one-byte value at an offset delta, 7 ms after the
// batch began.
func rawRecord(delta int64, value byte) []byte {
	body := []byte{0}
	body = binary.AppendVarint(body, 7)
	body = binary.AppendVarint(body, delta)
	body = binary.AppendVarint(body, -1)
	body = binary.AppendVarint(body, 1)
	body = append(body, value)
	body = binary.AppendVarint(body, 0)
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

func TestEveryCompressionIsRead(t *testing.T) {
	plain := append(rawRecord(0, 'a'), rawRecord(1, 'b')...)
	for code := compress.None; code <= compress.Zstd; code++ {
		t.Run(code.String(), func(t *testing.T) {
			payload := plain
			if code != compress.None {
				var packed bytes.Buffer
				w := code.Codec().NewWriter(&packed)
				if _, err := w.Write(plain); err != nil {
					t.Fatal(err)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				payload = packed.Bytes()
			}
			b, _, _, err := cutBatch(rawBatch(10, 1, int16(code), -1, 2, payload))
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.records(nil, "t", 0, 11) // the fetch began in the middle
			if err != nil || len(got) != 1 || string(got[0].Value) != "b" || got[0].Offset != 11 {
				t.Fatalf("%v %+v", err, got)
			}
		})
	}
}

func TestRecordTime(t *testing.T) {
	for attributes, want := range map[int16]int64{0: 1007, appendTimeBit: 5000} {
		b, _, _, err := cutBatch(rawBatch(0, 0, attributes, -1, 1, rawRecord(0, 'x')))
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.records(nil, "t", 0, 0)
		if err != nil || got[0].Time.UnixMilli() != want {
			t.Errorf("attributes %d: time %v, want %d (%v)", attributes, got[0].Time.UnixMilli(), want, err)
		}
	}
}

func TestBrokenBatches(t *testing.T) {
	good := rawBatch(0, 1, 0, -1, 2, append(rawRecord(0, 'a'), rawRecord(1, 'b')...))
	edit := func(at int, value byte) []byte {
		b := bytes.Clone(good)
		b[at] = value
		return b
	}
	rows := []struct {
		story string
		data  []byte
		whole bool
		err   error
	}{
		{"a whole one", good, true, nil},
		{"nothing", nil, false, nil},
		{"cut in the header", good[:30], false, nil},
		{"cut in the records", good[:len(good)-1], false, nil},
		{"one flipped bit", edit(len(good)-1, 0xff), false, errCorrupt},
		{"shorter than its header", edit(11, 3), false, errCorrupt},
		{"the format of Kafka 0.10", edit(16, 1), false, errFormat},
		{"ends before it begins", rawBatch(5, -3, 0, -1, 1, rawRecord(0, 'a')), false, errCorrupt},
		{"fewer than no records", rawBatch(5, 0, 0, -1, -1, nil), false, errCorrupt},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			_, _, whole, err := cutBatch(row.data)
			if whole != row.whole || !errors.Is(err, row.err) || (row.err == nil) != (err == nil) {
				t.Fatalf("whole %v, err %v; want %v, %v", whole, err, row.whole, row.err)
			}
		})
	}
	for story, b := range map[string][]byte{
		"more records than bytes": rawBatch(0, 9, 0, -1, 10, rawRecord(0, 'a')),
		"unknown compression":     rawBatch(0, 0, 7, -1, 1, rawRecord(0, 'a')),
		"compressed nonsense":     rawBatch(0, 0, int16(compress.Zstd), -1, 1, []byte("nonsense")),
		"header count of a liar":  rawBatch(0, 0, 0, -1, 1, []byte{16, 0, 0, 0, 1, 1, 0xfe, 0xff, 0x03}),
	} {
		t.Run(story, func(t *testing.T) {
			cut, _, whole, err := cutBatch(b)
			if err != nil || !whole {
				t.Fatal(whole, err)
			}
			if _, err := cut.records(nil, "t", 0, 0); !errors.Is(err, errCorrupt) {
				t.Fatalf("%v, want a corrupt batch", err)
			}
		})
	}
}

func TestSequenceWrapsLikeTheBrokerCounts(t *testing.T) {
	rows := []struct {
		from  int32
		count int
		want  int32
	}{
		{0, 1, 1},
		{math.MaxInt32, 1, 0},
		{math.MaxInt32 - 1, 1, math.MaxInt32},
		{math.MaxInt32 - 3, 10, 6},
		{math.MaxInt32, 500, 499},
	}
	for _, row := range rows {
		if got := nextSequence(row.from, row.count); got != row.want {
			t.Errorf("%d records from %d on: next is %d, want %d", row.count, row.from, got, row.want)
		}
	}
}

func TestCutKeepsOrderAndSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 400_000), 1, 20).Draw(t, "sizes")
		var records []Record
		for i, n := range sizes {
			records = append(records, Record{Offset: int64(i), Value: make([]byte, n)})
		}
		next := int64(0)
		for _, run := range cut(records) {
			total := 0
			for _, r := range run {
				if r.Offset != next {
					t.Fatalf("record %d after %d", r.Offset, next-1)
				}
				next++
				total += r.size()
			}
			if len(run) == 0 || total > batchBytes && len(run) > 1 {
				t.Fatalf("a batch of %d records with %d bytes", len(run), total)
			}
		}
		if next != int64(len(records)) {
			t.Fatalf("%d of %d records", next, len(records))
		}
	})
}
