package consumer

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"planetag/consumer/devbroker"
)

func TestExamineNamesWhatIsWrongAndTheRemedy(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	hour := map[string]string{"retention.ms": "3600000", "cleanup.policy": "delete"}
	have := []Topic{
		{Name: "state", Partitions: 3, Replication: 1, Config: hour},
		{Name: "compacted", Partitions: 3, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}},
	}
	if err := c.EnsureTopics(t.Context(), have, true); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		story  string
		topic  Topic
		create bool
		want   []string // what and remedy of each problem, in turn
	}{
		{"as it should be", Topic{Name: "state", Partitions: 3, Internal: true, MinRetention: time.Minute}, false, nil},
		{
			"too few partitions and too short",
			Topic{Name: "state", Partitions: 4, Internal: true, MinRetention: 2 * time.Hour},
			false,
			[]string{"has 3 partitions", "topics.partitions to 3", "keeps records for 1h0m0s", "retention.ms=7200000"},
		},
		{"compacted", Topic{Name: "compacted", Partitions: 3, Internal: true}, false, []string{"cleanup.policy=compact", "cleanup.policy=delete"}},
		{"missing", Topic{Name: "new", Partitions: 1}, false, []string{"does not exist", "--create --topic new"}},
		{"missing, to be created", Topic{Name: "new", Partitions: 1, Replication: 1}, true, nil},
		{"missing, and cannot be", Topic{Name: "new", Partitions: 1, Replication: 3}, true, []string{"would not create it", "topics.replication"}},
	} {
		t.Run(row.story, func(t *testing.T) {
			_, errs := c.Examine(t.Context(), row.topic, row.create)
			var said []string
			for _, err := range errs {
				var p *Problem
				if !errors.As(err, &p) {
					t.Fatalf("%v is no Problem", err)
				}
				said = append(said, p.What, p.Remedy)
			}
			if len(said) != len(row.want) {
				t.Fatalf("it says %q", said)
			}
			for i, want := range row.want {
				if !strings.Contains(said[i], want) {
					t.Errorf("%q does not say %q", said[i], want)
				}
			}
		})
	}
	if _, err := c.Partitions(t.Context(), "new"); err == nil {
		t.Error("the topic that could be created was created")
	}
	state, _ := c.Examine(t.Context(), Topic{Name: "state", Partitions: 3}, false)
	if !state.Exists || state.Partitions != 3 || state.Replicas != 1 || state.Leaderless != 0 || state.Settings["retention.ms"] != "3600000" {
		t.Errorf("%+v", state)
	}
}

// TestLookingChangesNothing asks everything that can be asked and lets the broker see only requests that change nothing.
func TestLookingChangesNothing(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	makeTopics(t, c, 2, input)
	seed(t, c, input, 0, 10)
	looker := newClient(t, b.Addr())
	var mu sync.Mutex
	seen := make(map[protocol.ApiKey]bool)
	b.OnRequest(func(apiKey int16) devbroker.Fault {
		mu.Lock()
		defer mu.Unlock()
		seen[protocol.ApiKey(apiKey)] = true
		return devbroker.Fault{}
	})
	records, err := looker.Latest(t.Context(), input, 4)
	if err != nil || len(records) != 4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	all := Topic{Name: input, Partitions: 2, Replication: 1, Uses: []string{"Read", "Write"}}
	if _, errs := looker.Examine(t.Context(), all, true); len(errs) > 0 {
		t.Error(errs)
	}
	if _, errs := looker.Examine(t.Context(), Topic{Name: "other", Partitions: 1, Replication: 1}, true); len(errs) > 0 {
		t.Error(errs)
	}
	for _, err := range []error{
		looker.Ping(t.Context()), looker.Versions(t.Context()), looker.Permitted(t.Context(), all),
		looker.PermittedGroup(t.Context(), "g"), looker.PermittedTransactions(t.Context(), "g"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	b.OnRequest(nil)
	// CreateTopics is sent empty, and to be validated only; the heartbeat and the abort are of nobody.
	harmless := []protocol.ApiKey{
		protocol.ApiVersions, protocol.Metadata, protocol.ListOffsets, protocol.Fetch, protocol.DescribeConfigs,
		protocol.CreateTopics, protocol.Heartbeat, protocol.EndTxn,
	}
	mu.Lock()
	defer mu.Unlock()
	for api := range seen {
		if !slices.Contains(harmless, api) {
			t.Errorf("the broker got a %s", api)
		}
	}
	if !seen[protocol.Heartbeat] || !seen[protocol.EndTxn] {
		t.Errorf("the broker saw only %v", seen)
	}
}

func TestPermittedNamesTheMissingRight(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	for _, row := range []struct {
		story string
		api   protocol.ApiKey
		code  kafka.Error
		ask   func() error
		want  string
	}{
		{
			"the group", protocol.Heartbeat, kafka.GroupAuthorizationFailed,
			func() error { return c.PermittedGroup(t.Context(), "g.photos") }, "--operation Read --group g.photos`",
		},
		{
			"transactions", protocol.EndTxn, kafka.TransactionalIDAuthorizationFailed,
			func() error { return c.PermittedTransactions(t.Context(), "g.photos") },
			"--operation Write --transactional-id g.photos/ --resource-pattern-type prefixed",
		},
	} {
		b.OnRequest(oneShot(row.api, code(row.code)))
		var p *Problem
		err := row.ask()
		if !errors.Is(err, ErrAuthorization) || !errors.As(err, &p) || !strings.Contains(p.Remedy, row.want) {
			t.Errorf("%s: %v", row.story, err)
		}
		if err := row.ask(); err != nil {
			t.Errorf("%s: with the right: %v", row.story, err)
		}
	}
}

func TestLatestReadsTheEndOfEveryPartition(t *testing.T) {
	c := newClient(t, newBroker(t).Addr())
	makeTopics(t, c, 3, input)
	if records, err := c.Latest(t.Context(), input, 5); err != nil || len(records) != 0 {
		t.Fatalf("of nothing: %d records, %v", len(records), err)
	}
	seed(t, c, input, 0, 300)
	pause(t.Context(), 2*time.Millisecond) // records have a time to the millisecond
	seed(t, c, input, 300, 5)
	records, err := c.Latest(t.Context(), input, 5)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, string(r.Value))
	}
	slices.Sort(got)
	if want := []string{"300", "301", "302", "303", "304"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestVersionsThatABrokerLacks(t *testing.T) {
	c := newClient(t, "127.0.0.1:1")
	var modern []kafka.ApiVersion
	for _, need := range c.spoken() {
		modern = append(modern, kafka.ApiVersion{ApiKey: int16(need.api), MinVersion: 0, MaxVersion: 99})
	}
	if err := c.common(modern); err != nil {
		t.Fatal(err)
	}
	without := func(api protocol.ApiKey, least, most int) []kafka.ApiVersion {
		changed := slices.Clone(modern)
		for i := range changed {
			if changed[i].ApiKey == int16(api) {
				changed[i].MinVersion, changed[i].MaxVersion = int16(least), int16(most)
			}
		}
		return changed
	}
	for story, row := range map[string]struct {
		offered []kafka.ApiVersion
		want    string
	}{
		"before transactions":        {without(protocol.Produce, 0, 2), "Produce 3 to 8"},
		"after the group's versions": {without(protocol.JoinGroup, 4, 9), "JoinGroup 1 to 2"},
		"nothing at all":             {nil, "Fetch 4 to 11"},
	} {
		if err := c.common(row.offered); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", story, err)
		}
	}
	loose := newClient(t, "127.0.0.1:1", func(c *Config) { c.Delivery = AtLeastOnce })
	if err := loose.common(without(protocol.EndTxn, 50, 60)); err != nil {
		t.Errorf("at least once needs no transactions: %v", err)
	}
}
