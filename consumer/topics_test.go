package consumer

import (
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

func TestEnsureTopics(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	day := map[string]string{"retention.ms": "86400000", "cleanup.policy": "delete"}
	have := []Topic{
		{Name: "plain", Partitions: 2, Replication: 1},
		{Name: "day", Partitions: 3, Replication: 1, Config: day, MinRetention: 24 * time.Hour, Internal: true},
		{Name: "compacted", Partitions: 3, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}},
	}
	if err := c.EnsureTopics(t.Context(), have, true); err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureTopics(t.Context(), have, true); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	if n, err := c.Partitions(t.Context(), "day"); n != 3 || err != nil {
		t.Fatalf("%d partitions, %v", n, err)
	}

	rows := []struct {
		story  string
		topic  Topic
		create bool
		want   []string // parts of the error; none for success
	}{
		{"exists, other partition count, not internal", Topic{Name: "plain", Partitions: 9}, false, nil},
		{"keeps longer than needed", Topic{Name: "day", Partitions: 3, MinRetention: time.Hour, Internal: true}, false, nil},
		{
			"missing",
			Topic{Name: "new", Partitions: 6, Replication: 3, Config: map[string]string{"retention.ms": "7"}},
			false,
			[]string{`topic "new" does not exist`, "--create --topic new --partitions 6 --replication-factor 3 --config retention.ms=7", "topics.create: true"},
		},
		{
			"internal with another count",
			Topic{Name: "day", Partitions: 4, Internal: true},
			false,
			[]string{`topic "day" has 3 partitions`, "says 4", "topics.partitions to 3"},
		},
		{
			"keeps too short",
			Topic{Name: "day", Partitions: 3, MinRetention: 48 * time.Hour},
			false,
			[]string{`topic "day" keeps records for 24h0m0s`, "48h0m0s is needed", "retention.ms=172800000"},
		},
		{
			"internal and compacted",
			Topic{Name: "compacted", Partitions: 3, Internal: true},
			false,
			[]string{`"compacted" has cleanup.policy=compact`, "cleanup.policy=delete"},
		},
		{
			"more replicas than brokers",
			Topic{Name: "wide", Partitions: 1, Replication: 3},
			true,
			[]string{`create topic "wide"`, "eplication"},
		},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			began := time.Now()
			err := c.EnsureTopics(t.Context(), []Topic{row.topic}, row.create)
			if (err == nil) != (len(row.want) == 0) {
				t.Fatalf("%v, want an error: %v", err, len(row.want) > 0)
			}
			for _, part := range row.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if time.Since(began) > 5*time.Second {
				t.Errorf("took %v", time.Since(began))
			}
		})
	}
}

func TestEnsureTopicsJoinsAllThatIsWrong(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	err := c.EnsureTopics(t.Context(), []Topic{{Name: "one"}, {Name: "two"}}, false)
	if err == nil || !strings.Contains(err.Error(), `"one"`) || !strings.Contains(err.Error(), `"two"`) {
		t.Fatalf("%v, want both topics named", err)
	}
	if _, err := c.Partitions(t.Context(), "one"); err == nil || !strings.Contains(err.Error(), `"one" does not exist`) {
		t.Fatalf("%v", err)
	}
}

func TestEnsureTopicsWithoutPermissionNamesTheRemedy(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	makeTopics(t, c, 1, "emb")
	b.OnRequest(oneShot(protocol.DescribeConfigs, code(kafka.TopicAuthorizationFailed)))
	err := c.EnsureTopics(t.Context(), []Topic{{Name: "emb", Partitions: 1, Internal: true}}, false)
	if err == nil || !strings.Contains(err.Error(), "--operation DescribeConfigs --topic emb") {
		t.Fatalf("%v, want the acl command", err)
	}
	b.OnRequest(oneShot(protocol.CreateTopics, code(kafka.TopicAuthorizationFailed)))
	// The first CreateTopics only refreshes the transport's memory.
	err = c.createTopic(t.Context(), Topic{Name: "other", Partitions: 1, Replication: 1})
	if err == nil || !strings.Contains(err.Error(), "kafka-topics.sh") {
		t.Fatalf("%v, want the command", err)
	}
}
