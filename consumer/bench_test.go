package consumer

import (
	"bytes"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"planetag/consumer/devbroker"
)

// benchmarkPair is newPair for a benchmark.
func benchmarkPair(b *testing.B, delivery Delivery, partitions int) *Client {
	b.Helper()
	broker, err := devbroker.Start(devbroker.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(broker.Close)
	c, err := NewClient(Config{Brokers: []string{broker.Addr()}, Delivery: delivery, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	for _, name := range []string{input, output} {
		if err := c.EnsureTopics(b.Context(), []Topic{{Name: name, Partitions: partitions, Replication: 1}}, true); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// commitMany commits n times size records from each of several partitions side by
// side, and returns how long it took.
func commitMany(b *testing.B, c *Client, partitions, n, size int) time.Duration {
	b.Helper()
	var assigned []*Assignment
	for p := range partitions {
		m := membership{client: c, group: "g", stage: "s", topic: input, generation: -1}
		a, err := m.open(b.Context(), p)
		if err != nil {
			b.Fatal(err)
		}
		assigned = append(assigned, a)
	}
	var records []Record
	for i := range size {
		value := bytes.Repeat([]byte(strconv.Itoa(i)), 1024/len(strconv.Itoa(i)))
		records = append(records, Record{Topic: output, Partition: -1, Key: []byte(strconv.Itoa(i)), Value: value})
	}
	began := time.Now()
	var working sync.WaitGroup
	for _, a := range assigned {
		working.Go(func() {
			for i := range n {
				if err := a.Commit(b.Context(), records, int64(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
	return time.Since(began)
}

// BenchmarkExactlyOnceAgainstAtLeastOnce does the same commits in both
// deliveries within one run. The metric eos/alo is the share of the throughput
// that exactly_once keeps; flushes/s are those of exactly_once.
func BenchmarkExactlyOnceAgainstAtLeastOnce(b *testing.B) {
	for _, shape := range []struct {
		name             string
		partitions, size int
	}{
		{"1 partition, 20 records", 1, 20},
		{"8 partitions, 20 records", 8, 20},
		{"8 partitions, 500 records", 8, 500},
	} {
		b.Run(shape.name, func(b *testing.B) {
			once := benchmarkPair(b, ExactlyOnce, 8)
			least := benchmarkPair(b, AtLeastOnce, 8)
			b.ResetTimer()
			eos := commitMany(b, once, shape.partitions, b.N, shape.size)
			alo := commitMany(b, least, shape.partitions, b.N, shape.size)
			flushes := float64(b.N * shape.partitions)
			b.ReportMetric(float64(alo)/float64(eos), "eos/alo")
			b.ReportMetric(flushes/eos.Seconds(), "flushes/s")
			b.ReportMetric(flushes*float64(shape.size)/eos.Seconds(), "records/s")
		})
	}
}
