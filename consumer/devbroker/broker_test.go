package devbroker_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"planetag/consumer/devbroker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	k, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addr), kgo.RequestRetries(0), kgo.AllowAutoTopicCreation())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func createTopic(t *testing.T, k *kgo.Client, name string) {
	t.Helper()
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(t.Context(), k)
	if err != nil || answer.Topics[0].ErrorCode != 0 {
		t.Fatal(err, answer)
	}
}

func TestDataSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	b, err := devbroker.Start(devbroker.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	k := connect(t, b.Addr())
	createTopic(t, k, "t")
	if err := k.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("kept")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	k.Close()
	b.Close()

	_, port, err := net.SplitHostPort(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	same, _ := strconv.Atoi(port)
	b, err = devbroker.Start(devbroker.Options{DataDir: dir, Port: same})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	k = connect(t, b.Addr(), kgo.ConsumeTopics("t"))
	defer k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got := k.PollFetches(ctx).Records(); len(got) != 1 || string(got[0].Value) != "kept" {
		t.Fatalf("%d records after the restart", len(got))
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if b, err := devbroker.Start(devbroker.Options{Port: l.Addr().(*net.TCPAddr).Port}); err == nil {
		b.Close()
		t.Fatal("started on a port in use")
	}
}

// raise takes over the transactional id "x", which raises its epoch.
func raise(t *testing.T, k *kgo.Client) (*kmsg.InitProducerIDResponse, error) {
	t.Helper()
	request := kmsg.NewPtrInitProducerIDRequest()
	id := "x"
	request.TransactionalID, request.TransactionTimeoutMillis = &id, 1000
	request.ProducerID, request.ProducerEpoch = -1, -1
	return request.RequestWith(t.Context(), k)
}

// once breaks the next InitProducerID.
func once(b *devbroker.Broker, f devbroker.Fault) {
	var calls atomic.Int32
	b.OnRequest(func(key int16) devbroker.Fault {
		if key == 22 && calls.Add(1) == 1 {
			return f
		}
		return devbroker.Fault{}
	})
}

func TestFaults(t *testing.T) {
	b, err := devbroker.Start(devbroker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	k := connect(t, b.Addr())
	defer k.Close()
	last, err := raise(t, k)
	if err != nil || last.ErrorCode != 0 {
		t.Fatal(err, last)
	}
	once(b, devbroker.Fault{Code: 51})
	if answer, err := raise(t, k); !errors.Is(kerr.ErrorForCode(codeOf(answer, err)), kerr.ConcurrentTransactions) {
		t.Fatalf("%+v, %v: want the code", answer, err)
	}
	for _, row := range []struct {
		story string
		fault devbroker.Fault
		grown int16 // by the broken request and by the one after it
	}{
		{"a lost request is not carried out", devbroker.Fault{LoseRequest: true}, 1},
		{"a request whose answer is lost is", devbroker.Fault{LoseAnswer: true}, 2},
	} {
		once(b, row.fault)
		if answer, err := raise(t, k); err == nil {
			t.Fatalf("%s: answered %+v", row.story, answer)
		}
		b.OnRequest(nil)
		answer, err := raise(t, k)
		if err != nil || answer.ErrorCode != 0 {
			t.Fatal(err, answer)
		}
		if grown := answer.ProducerEpoch - last.ProducerEpoch; grown != row.grown {
			t.Errorf("%s: the epoch grew by %d, want %d", row.story, grown, row.grown)
		}
		last = answer
	}
}

func codeOf(answer *kmsg.InitProducerIDResponse, err error) int16 {
	if err != nil {
		return 0
	}
	return answer.ErrorCode
}
