package consumer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"planetag/consumer/devbroker"
)

func code(c kafka.Error) devbroker.Fault { return devbroker.Fault{Code: int16(c)} }

var (
	loseRequest = devbroker.Fault{LoseRequest: true}
	loseAnswer  = devbroker.Fault{LoseAnswer: true}
)

// TestCommitMeetsOneFault breaks one request of one transaction. Whatever Commit
// says, the records must be visible once or not at all, and together with the
// offset.
func TestCommitMeetsOneFault(t *testing.T) {
	const lives, restarts, dies = "lives", "restarts", "is fenced"
	rows := []struct {
		story string
		key   protocol.ApiKey
		fault devbroker.Fault
		want  string
	}{
		{"previous transaction still closing", protocol.AddPartitionsToTxn, code(kafka.ConcurrentTransactions), lives},
		{"coordinator loading", protocol.AddPartitionsToTxn, code(kafka.GroupLoadInProgress), lives},
		{"coordinator away", protocol.AddOffsetsToTxn, code(kafka.GroupCoordinatorNotAvailable), lives},
		{"coordinator moved before the offsets", protocol.TxnOffsetCommit, code(kafka.NotCoordinatorForGroup), lives},
		{"coordinator moved before the commit", protocol.EndTxn, code(kafka.NotCoordinatorForGroup), lives},
		{"still closing at the commit", protocol.EndTxn, code(kafka.ConcurrentTransactions), lives},
		{"leader moved", protocol.Produce, code(kafka.NotLeaderForPartition), lives},
		{"too few replicas", protocol.Produce, code(kafka.NotEnoughReplicas), lives},
		{"a gap in the sequence", protocol.Produce, code(kafka.OutOfOrderSequenceNumber), restarts},
		{"produce timed out", protocol.Produce, code(kafka.RequestTimedOut), lives},
		{"commit timed out", protocol.EndTxn, code(kafka.RequestTimedOut), restarts},
		{"generation over", protocol.TxnOffsetCommit, code(kafka.IllegalGeneration), dies},
		{"member unknown", protocol.TxnOffsetCommit, code(kafka.UnknownMemberId), dies},
		{"rebalancing", protocol.TxnOffsetCommit, code(kafka.RebalanceInProgress), dies},
		{"instance fenced", protocol.TxnOffsetCommit, code(kafka.FencedInstanceID), dies},
		{"epoch too low at produce", protocol.Produce, code(kafka.InvalidProducerEpoch), dies},
		{"fenced at add partitions", protocol.AddPartitionsToTxn, code(kafka.ProducerFenced), dies},
		{"fenced at the commit", protocol.EndTxn, code(kafka.ProducerFenced), dies},

		{"connection lost before add partitions", protocol.AddPartitionsToTxn, loseRequest, lives},
		{"connection lost after add partitions", protocol.AddPartitionsToTxn, loseAnswer, lives},
		{"connection lost before produce", protocol.Produce, loseRequest, lives},
		{"connection lost after produce", protocol.Produce, loseAnswer, lives},
		{"connection lost before add offsets", protocol.AddOffsetsToTxn, loseRequest, lives},
		{"connection lost after add offsets", protocol.AddOffsetsToTxn, loseAnswer, lives},
		{"connection lost before offset commit", protocol.TxnOffsetCommit, loseRequest, restarts},
		{"connection lost after offset commit", protocol.TxnOffsetCommit, loseAnswer, restarts},
		{"connection lost before the commit", protocol.EndTxn, loseRequest, restarts},
		{"connection lost after the commit", protocol.EndTxn, loseAnswer, restarts},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			b, c := newPair(t, 2)
			seed(t, c, input, 0, 20)
			first, second := take(t, c, 0), take(t, c, 1)
			if err := second.Commit(t.Context(), toOutput(fetchAll(t, second)), second.Position()); err != nil {
				t.Fatal(err) // also fills the caches, so that the fault meets what it is meant for
			}
			records := fetchAll(t, first)
			b.OnRequest(oneShot(row.key, row.fault))
			err := first.Commit(t.Context(), toOutput(records), first.Position())
			b.OnRequest(nil)

			if got := outcome(err); got != row.want {
				t.Errorf("the assignment %s (%v), want: it %s", got, err, row.want)
			}
			again := take(t, c, 0)
			if err := again.Commit(t.Context(), toOutput(fetchAll(t, again)), first.Position()); err != nil {
				t.Fatal(err)
			}
			wantOnce(t, b.Addr(), output, 20)
		})
	}
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "lives"
	case errors.Is(err, ErrFenced):
		return "is fenced"
	case errors.Is(err, ErrRestart):
		return "restarts"
	}
	return "fails"
}

// menu is what may happen to a request in the random plans.
func menu(key protocol.ApiKey) []devbroker.Fault {
	faults := []devbroker.Fault{loseRequest, loseAnswer}
	coordinator := []devbroker.Fault{code(14), code(15), code(16)}
	switch key {
	case protocol.Produce:
		return append(faults, code(6), code(19), code(7), code(45), code(47), code(3))
	case protocol.AddPartitionsToTxn, protocol.AddOffsetsToTxn:
		return append(append(faults, coordinator...), code(51), code(48), code(90))
	case protocol.TxnOffsetCommit:
		return append(append(faults, coordinator...), code(22), code(25), code(27), code(7))
	case protocol.EndTxn:
		// Not 48: to an abort it says that there is nothing to abort, and the
		// development broker has no other way to abort.
		return append(append(faults, coordinator...), code(51), code(90), code(7))
	case protocol.InitProducerId, protocol.FindCoordinator, protocol.OffsetFetch:
		return append(faults, coordinator...)
	case protocol.Fetch:
		return append(faults, code(6), code(3), code(5))
	case protocol.Heartbeat:
		return append(faults, code(27), code(25), code(22))
	}
	return nil
}

// plan is a seeded fault plan that ends after a number of faults.
type plan struct {
	mu   sync.Mutex
	rng  *rand.Rand
	left int
	hits map[string]int
}

func (p *plan) next(key int16) devbroker.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	faults := menu(protocol.ApiKey(key))
	if p.left == 0 || len(faults) == 0 || p.rng.IntN(12) != 0 {
		return devbroker.Fault{}
	}
	p.left--
	fault := faults[p.rng.IntN(len(faults))]
	p.hits[fmt.Sprintf("%v %+v", protocol.ApiKey(key), fault)]++
	return fault
}

// TestNothingLostNothingTwiceUnderRandomFaults runs two members against a broker
// that refuses and hangs up at random. PLANETAG_SEED repeats one plan,
// PLANETAG_PLANS says how many there are.
func TestNothingLostNothingTwiceUnderRandomFaults(t *testing.T) {
	plans := 4
	if n, err := strconv.Atoi(os.Getenv("PLANETAG_PLANS")); err == nil {
		plans = n
	}
	for i := range plans {
		chosen := uint64(time.Now().UnixNano()) + uint64(i)
		if s, err := strconv.ParseUint(os.Getenv("PLANETAG_SEED"), 10, 64); err == nil {
			chosen = s
		}
		t.Run(fmt.Sprintf("seed=%d", chosen), func(t *testing.T) {
			t.Parallel()
			runPlan(t, chosen)
		})
	}
}

func runPlan(t *testing.T, seedValue uint64) {
	b, c := newPair(t, 3)
	const n = 400
	seed(t, c, input, 0, n)
	p := &plan{rng: rand.New(rand.NewPCG(seedValue, 0)), left: 60, hits: make(map[string]int)}
	b.OnRequest(p.next)
	one := runGroup(t, newClient(t, b.Addr()), copyFew)
	two := runGroup(t, newClient(t, b.Addr()), copyFew)
	eventually(t, "every offset committed", func() bool { return committed(t, c, 3) == n })
	b.OnRequest(nil)
	for _, stop := range []func() error{one, two} {
		if err := stop(); err != nil {
			t.Errorf("seed %d: %v", seedValue, err)
		}
	}
	t.Logf("seed %d: %d faults: %v", seedValue, 60-p.left, p.hits)
	wantOnce(t, b.Addr(), output, n)
}

// committed is the sum of the group's offsets.
func committed(t *testing.T, c *Client, partitions int) (sum int64) {
	t.Helper()
	for p := range partitions {
		a := &Assignment{
			membership: membership{client: c, group: "g", topic: input},
			reader:     &reader{client: c, from: topicPartition{input, int32(p)}},
		}
		offset, err := a.committedOffset(t.Context())
		if err != nil {
			return -1 // a fault was for us
		}
		sum += max(offset, 0)
	}
	return sum
}

// copyFew is copyAll with at most ten records in a transaction.
func copyFew(ctx context.Context, a *Assignment) error {
	for {
		records, err := a.Fetch(ctx)
		if err != nil {
			return err
		}
		for len(records) > 0 {
			n := min(10, len(records))
			next := records[n-1].Offset + 1
			if err := a.Commit(ctx, toOutput(records[:n]), next); err != nil {
				return err
			}
			records = records[n:]
		}
	}
}
