package consumer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDeletedOffsetsAreReported(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	w := &watcher{}
	c = newClient(t, b.Addr(), func(cfg *Config) { cfg.Observer = w })
	a := take(t, c, 0)
	if err := a.Commit(t.Context(), nil, 2); err != nil {
		t.Fatal(err)
	}
	deleteRecords(t, b.Addr(), input, 6)

	a = take(t, c, 0)
	if got := fetchAll(t, a); len(got) != 4 || got[0].Offset != 6 {
		t.Fatalf("%d records from %d on, want 4 from 6 on", len(got), got[0].Offset)
	}
	if want := []string{"photos/0 [2,6)"}; !slices.Equal(w.lost, want) {
		t.Fatalf("reported %v, want %v", w.lost, want)
	}
	if len(w.transactions) != 1 || w.position != 10 || w.end != 10 {
		t.Fatalf("transactions %v, position %d, end %d", w.transactions, w.position, w.end)
	}
}

func deleteRecords(t *testing.T, addr, topic string, before int64) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis = 5000
	of := kmsg.NewDeleteRecordsRequestTopic()
	of.Topic = topic
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Offset = before
	of.Partitions = append(of.Partitions, part)
	request.Topics = append(request.Topics, of)
	if answer, err := request.RequestWith(t.Context(), k); err != nil || answer.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatal(err, answer)
	}
}

// TestSameViewAsAnIndependentReader writes committed, aborted and plain records
// in every compression with franz-go, and compares what both clients see.
func TestSameViewAsAnIndependentReader(t *testing.T) {
	b, c := newPair(t, 2)
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	for i, codec := range codecs {
		writeTransactions(t, b.Addr(), i, codec)
	}
	seed(t, c, input, 1000, 20)

	type seen struct {
		partition  int
		offset, ms int64
		key, value string
		null       bool
		headers    string
	}
	var want, got []seen
	for _, r := range read(t, b.Addr(), input) {
		want = append(want, seen{int(r.Partition), r.Offset, r.Timestamp.UnixMilli(), string(r.Key), string(r.Value), r.Value == nil, fmt.Sprint(r.Headers)})
	}
	for partition := range 2 {
		for _, r := range fetchAll(t, take(t, c, partition)) {
			var headers []kgo.RecordHeader
			for _, h := range r.Headers {
				headers = append(headers, kgo.RecordHeader(h))
			}
			got = append(got, seen{r.Partition, r.Offset, r.Time.UnixMilli(), string(r.Key), string(r.Value), r.Value == nil, fmt.Sprint(headers)})
		}
	}
	for _, s := range [][]seen{want, got} {
		slices.SortFunc(s, func(a, b seen) int { return (a.partition-b.partition)*1e6 + int(a.offset-b.offset) })
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); diff != "" || len(want) < 100 {
		t.Fatalf("%d records (-franz-go +planetag):\n%s", len(want), diff)
	}
}

func writeTransactions(t *testing.T, addr string, n int, codec kgo.CompressionCodec) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.TransactionalID(fmt.Sprint("w", n)),
		kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for round := range 6 {
		if err := k.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			r := &kgo.Record{Topic: input, Key: fmt.Appendf(nil, "%d-%d", n, i), Value: fmt.Appendf(nil, "round %d of %d", round, n)}
			if i == 3 {
				r.Value = nil
			}
			if i == 4 {
				r.Headers = []kgo.RecordHeader{{Key: "a", Value: []byte{0, 1}}, {Key: "null"}}
			}
			k.Produce(t.Context(), r, nil)
		}
		if err := k.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := k.EndTransaction(t.Context(), round%3 != 1); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPassesRecordsOnByteForByte(t *testing.T) {
	b, c := newPair(t, 1)
	sent := Record{
		Topic: output, Partition: 0, Time: time.UnixMilli(1_700_000_000_123), Key: []byte{0, 0xff}, Value: nil,
		Headers: []Header{{"h", []byte{1, 0}}, {"h", nil}, {"", []byte{}}},
	}
	if err := take(t, c, 0).Commit(t.Context(), []Record{sent}, 0); err != nil {
		t.Fatal(err)
	}
	got := read(t, b.Addr(), output)[0]
	if got.Value != nil || string(got.Key) != string(sent.Key) || !got.Timestamp.Equal(sent.Time) || len(got.Headers) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, h := range got.Headers {
		if h.Key != sent.Headers[i].Key || string(h.Value) != string(sent.Headers[i].Value) || (h.Value == nil) != (sent.Headers[i].Value == nil) {
			t.Errorf("header %d: %+v, want %+v", i, h, sent.Headers[i])
		}
	}
}

func TestKeysGoWhereJavaPutsThem(t *testing.T) {
	b, c := newPair(t, 7)
	// murmur2 of Kafka's own test: "21" → -973932308, "foobar" → -790332482.
	where := map[string]int32{"21": (-973932308 & 0x7fffffff) % 7, "foobar": (-790332482 & 0x7fffffff) % 7}
	a := take(t, c, 5)
	records := []Record{{Topic: output, Partition: -1, Value: []byte("no key")}}
	for key := range where {
		records = append(records, Record{Topic: output, Partition: -1, Key: []byte(key)})
	}
	if err := a.Commit(t.Context(), records, 0); err != nil {
		t.Fatal(err)
	}
	for _, r := range read(t, b.Addr(), output) {
		want, keyed := where[string(r.Key)]
		if !keyed {
			want = 5 // as the input partition
		}
		if r.Partition != want {
			t.Errorf("key %q is in partition %d, want %d", r.Key, r.Partition, want)
		}
	}
}

func TestFetchRidesOutTrouble(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 5)
	a := take(t, c, 0)
	for _, f := range []kafka.Error{kafka.NotLeaderForPartition, kafka.UnknownTopicOrPartition, kafka.LeaderNotAvailable} {
		b.OnRequest(oneShot(protocol.Fetch, code(f)))
		began := time.Now()
		if records, err := a.Fetch(t.Context()); err != nil || len(records) != 0 || time.Since(began) > 2*time.Second {
			t.Fatalf("%v: %d records, %v after %v", f, len(records), err, time.Since(began))
		}
	}
	b.OnRequest(oneShot(protocol.Fetch, loseAnswer))
	if _, err := a.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := fetchAll(t, a); len(got) != 5 {
		t.Fatalf("%d records, want 5", len(got))
	}
	b.OnRequest(oneShot(protocol.Fetch, code(kafka.TopicAuthorizationFailed)))
	if _, err := a.Fetch(t.Context()); !errors.Is(err, kafka.TopicAuthorizationFailed) || errors.Is(err, ErrRestart) {
		t.Fatalf("forbidden: %v, want an error that stops the worker", err)
	}
}

func TestNotCaughtUpBehindAnOpenTransaction(t *testing.T) {
	b, c := newPair(t, 1)
	other, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.TransactionalID("somebody-else"), kgo.DefaultProduceTopic(input))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := other.ProduceSync(t.Context(), kgo.StringRecord("open")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	seed(t, c, input, 0, 1) // committed, and hidden behind what is open

	a := take(t, c, 0)
	for range 3 {
		if records, err := a.Fetch(t.Context()); err != nil || len(records) > 0 || a.CaughtUp() {
			t.Fatalf("while a transaction is open: %d records, caught up %v, %v", len(records), a.CaughtUp(), err)
		}
	}
	if err := other.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	eventually(t, "seen what was behind it", func() bool {
		records, err := a.Fetch(t.Context())
		return err == nil && len(records) == 1 && a.CaughtUp()
	})
}

func TestDeletedOffsetsStopAReaderThatMustNotSkip(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	w := &watcher{}
	c = newClient(t, b.Addr(), func(cfg *Config) { cfg.Observer, cfg.OnDataLoss = w, StopReading })
	deleteRecords(t, b.Addr(), input, 6)
	a := take(t, c, 0)
	if err := a.Commit(t.Context(), nil, 2); err != nil {
		t.Fatal(err)
	}
	a = take(t, c, 0)
	records, err := a.Fetch(t.Context())
	if !errors.Is(err, ErrDataLost) || errors.Is(err, ErrRestart) || errors.Is(err, ErrFenced) || len(records) > 0 {
		t.Fatalf("%d records, %v; want an end for good", len(records), err)
	}
	if want := []string{"photos/0 [2,6)"}; !slices.Equal(w.lost, want) || !strings.Contains(err.Error(), "kafka.on_data_loss") {
		t.Fatalf("reported %v, want %v; %v names no remedy", w.lost, want, err)
	}
}
