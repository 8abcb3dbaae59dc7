package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"planetag/consumer/devbroker"
)

func TestGroupCopiesEveryRecordOnce(t *testing.T) {
	for _, delivery := range []Delivery{ExactlyOnce, AtLeastOnce} {
		t.Run(string(delivery), func(t *testing.T) {
			b, c := newPair(t, 3)
			seed(t, c, input, 0, 500)
			worker := newClient(t, b.Addr(), func(cfg *Config) { cfg.Delivery = delivery })
			stop := runGroup(t, worker, copyAll)
			eventually(t, "500 committed", func() bool { return committed(t, c, 3) == 500 })
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			wantOnce(t, b.Addr(), output, 500)
		})
	}
}

func TestMembersComeAndGo(t *testing.T) {
	b, c := newPair(t, 6)
	const n = 3000
	seed(t, c, input, 0, n/3)
	one := runGroup(t, newClient(t, b.Addr()), copyFew)
	eventually(t, "one works", func() bool { return committed(t, c, 6) > 100 })
	two := runGroup(t, newClient(t, b.Addr()), copyFew)
	seed(t, c, input, n/3, n/3)
	eventually(t, "both work", func() bool { return committed(t, c, 6) > n/2 })
	if err := one(); err != nil {
		t.Fatal(err)
	}
	seed(t, c, input, 2*n/3, n/3)
	eventually(t, "the other does the rest", func() bool { return committed(t, c, 6) == n })
	if err := two(); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, b.Addr(), output, n)
}

func TestLeavingIsPromptForTheNext(t *testing.T) {
	b, c := newPair(t, 1)
	// With a long session, a member that did not leave would block the next.
	patient := func(cfg *Config) { cfg.SessionTimeout, cfg.RebalanceTimeout = time.Minute, time.Minute }
	stop := runGroup(t, newClient(t, b.Addr(), patient), copyAll)
	seed(t, c, input, 0, 1)
	eventually(t, "the first works", func() bool { return committed(t, c, 1) == 1 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	runGroup(t, newClient(t, b.Addr(), patient), copyAll)
	seed(t, c, input, 1, 1)
	eventually(t, "the second works", func() bool { return committed(t, c, 1) == 2 })
}

func TestShutdownIsNotHeldUpByARebalance(t *testing.T) {
	b, _ := newPair(t, 1)
	patient := func(cfg *Config) { cfg.SessionTimeout, cfg.RebalanceTimeout = time.Minute, time.Minute }
	// A group of its own: a member that leaves before it learnt its name stays
	// in a broker's books for a while.
	group := GroupConfig{Group: fmt.Sprint("stuck-", time.Now().UnixNano()), Stage: "s", Topic: input}
	started, release := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() {
		ended <- newClient(t, b.Addr(), patient).RunGroup(ctx, group, func(context.Context, *Assignment) error {
			close(started)
			<-release // a handler that does not hear
			return nil
		})
	}()
	<-started
	second, stop := context.WithCancel(t.Context())
	go func() { ended <- newClient(t, b.Addr(), patient).RunGroup(second, group, copyAll) }()
	time.Sleep(300 * time.Millisecond) // it waits for the first to join again
	began := time.Now()
	stop()
	if err := <-ended; err != nil || time.Since(began) > 10*time.Second {
		t.Errorf("stopping took %v: %v", time.Since(began), err)
	}
	close(release)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestHandlerErrorEndsTheGroupAtOnce(t *testing.T) {
	b, c := newPair(t, 3)
	broken := errors.New("model does not match")
	var others atomic.Int32
	result := make(chan error, 1)
	go func() {
		result <- c.RunGroup(t.Context(), GroupConfig{Group: "g", Stage: "s", Topic: input}, func(ctx context.Context, a *Assignment) error {
			if a.Partition() == 1 {
				return broken
			}
			<-ctx.Done()
			others.Add(1)
			return ctx.Err()
		})
	}()
	select {
	case err := <-result:
		if !errors.Is(err, broken) {
			t.Fatalf("%v, want the handler's error", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the group goes on")
	}
	if n := others.Load(); n > 2 {
		t.Fatalf("%d other handlers", n)
	}
	_ = b
}

func TestHandlerIsCalledAgainAfterRestart(t *testing.T) {
	_, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	var positions []int64
	done := make(chan struct{})
	stop := runGroup(t, c, func(ctx context.Context, a *Assignment) error {
		positions = append(positions, a.Position())
		switch len(positions) {
		case 1:
			if err := a.Commit(ctx, nil, 4); err != nil {
				return err
			}
			fetchAll(t, a)
			return fmt.Errorf("lost: %w", ErrRestart)
		case 2:
			return fmt.Errorf("taken: %w", ErrFenced)
		}
		close(done)
		return nil // rests until the end
	})
	<-done
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(positions) != "[0 4 4]" {
		t.Fatalf("began at %v, want 0, then 4 after a restart, then 4 in the next generation", positions)
	}
}

func TestGroupTakesUpNewPartitions(t *testing.T) {
	b, c := newPair(t, 1)
	stop := runGroup(t, newClient(t, b.Addr()), copyAll)
	seed(t, c, input, 0, 5)
	eventually(t, "one partition", func() bool { return committed(t, c, 1) == 5 })
	addPartitions(t, b.Addr(), input, 2)
	c.refresh(t.Context())
	if err := c.Publish(t.Context(), []Record{{Topic: input, Partition: 1, Value: []byte("5")}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second partition", func() bool { return committed(t, c, 2) == 6 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, b.Addr(), output, 6)
}

func addPartitions(t *testing.T, addr, topic string, count int32) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	request := kmsg.NewPtrCreatePartitionsRequest()
	grow := kmsg.NewCreatePartitionsRequestTopic()
	grow.Topic, grow.Count = topic, count
	request.Topics = append(request.Topics, grow)
	if answer, err := request.RequestWith(t.Context(), k); err != nil || answer.Topics[0].ErrorCode != 0 {
		t.Fatal(err, answer)
	}
}

func TestGroupNeverCreatesItsTopic(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr())
	var metadata atomic.Int32
	b.OnRequest(func(key int16) devbroker.Fault {
		if key == int16(protocol.JoinGroup) {
			metadata.Add(1)
		}
		return devbroker.Fault{}
	})
	err := c.RunGroup(t.Context(), GroupConfig{Group: "g", Stage: "s", Topic: "fotos"}, copyAll)
	if err == nil || !strings.Contains(err.Error(), `"fotos" does not exist`) {
		t.Fatalf("%v, want an error that names the topic", err)
	}
	if metadata.Load() != 0 {
		t.Fatal("the group was joined, which lets permissive brokers create the topic")
	}
}

// TestSleeperDoesNotFenceTheOwner: a member that slept through its own removal
// and whose transaction failed must not take the producer over again.
func TestSleeperDoesNotFenceTheOwner(t *testing.T) {
	_, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	run := &groupRun{client: c, config: GroupConfig{Group: "g", Stage: "s", Topic: input}, handle: func(context.Context, *Assignment) error {
		t.Error("the handler was called again")
		return nil
	}}
	owner := take(t, c, 0)
	gone := membership{client: c, group: "g", stage: "s", topic: input, generation: 3, member: "gone"}
	if _, err := run.once(t.Context(), gone, 0, make(chan struct{}, 1), true); !errors.Is(err, ErrFenced) {
		t.Fatalf("%v, want ErrFenced", err)
	}
	if err := owner.Commit(t.Context(), nil, 5); err != nil {
		t.Fatalf("the owner was disturbed: %v", err)
	}
}
