package consumer

import (
	"testing"

	"github.com/segmentio/kafka-go/protocol"

	"planetag/consumer/devbroker"
)

// take opens a partition of the input outside of any group, as generation -1.
func take(t *testing.T, c *Client, partition int) *Assignment {
	t.Helper()
	m := membership{client: c, group: "g", stage: "s", topic: input, generation: -1}
	a, err := m.open(t.Context(), partition)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fetchAll fetches until the assignment has caught up.
func fetchAll(t *testing.T, a *Assignment) []Record {
	t.Helper()
	var all []Record
	for !a.CaughtUp() {
		records, err := a.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
	return all
}

// toOutput redirects records.
func toOutput(records []Record) []Record {
	out := make([]Record, len(records))
	for i, r := range records {
		r.Topic, r.Partition = output, -1
		out[i] = r
	}
	return out
}

// oneShot returns a fault plan that does f to the first request with the key.
func oneShot(key protocol.ApiKey, f devbroker.Fault) func(int16) devbroker.Fault {
	armed := make(chan struct{}, 1)
	armed <- struct{}{}
	return func(k int16) devbroker.Fault {
		if k != int16(key) {
			return devbroker.Fault{}
		}
		select {
		case <-armed:
			return f
		default:
			return devbroker.Fault{}
		}
	}
}

func newPair(t *testing.T, partitions int) (broker, *Client) {
	t.Helper()
	b := newBroker(t)
	c := newClient(t, b.Addr())
	makeTopics(t, c, partitions, input, output)
	return b, c
}
