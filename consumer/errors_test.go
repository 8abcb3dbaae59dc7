package consumer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

func TestEveryErrorHasItsAction(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	reset := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	rows := []struct {
		story string
		err   error
		want  action // of a request that may be repeated
		final action // of one that may not: EndTxn, TxnOffsetCommit
	}{
		{"the previous transaction is still closing", kafka.ConcurrentTransactions, again, again},
		{"too few replicas are in sync", kafka.NotEnoughReplicas, again, again},
		{"too few replicas in sync after the write", kafka.NotEnoughReplicasAfterAppend, again, again},
		{"the checksum broke on the way", kafka.InvalidMessage, again, again},
		{"the broker ran out of time, but perhaps did it", kafka.RequestTimedOut, again, restart},
		{"an open transaction hides the offset", kafka.UnstableOffsetCommit, again, again},
		{"a quota", kafka.ThrottlingQuotaExceeded, again, again},

		{"the coordinator loads its log", kafka.GroupLoadInProgress, askCoordinator, askCoordinator},
		{"the coordinator is away", kafka.GroupCoordinatorNotAvailable, askCoordinator, askCoordinator},
		{"the coordinator moved", kafka.NotCoordinatorForGroup, askCoordinator, askCoordinator},

		{"the broker is away", kafka.BrokerNotAvailable, askLeader, askLeader},
		{"the leader moved", kafka.NotLeaderForPartition, askLeader, askLeader},
		{"no leader yet", kafka.LeaderNotAvailable, askLeader, askLeader},
		{"the broker does not know the topic yet", kafka.UnknownTopicOrPartition, askLeader, askLeader},
		{"the cached layout lacks the topic", protocol.NewErrNoTopic("x"), askLeader, askLeader},
		{"the cached layout lacks the leader", protocol.NewErrNoLeader("x", 1), askLeader, askLeader},
		{"nobody listens", refused, askLeader, askLeader},
		{"the connection was reset", reset, askLeader, restart},
		{"the connection ended", io.EOF, askLeader, restart},
		{"the connection ended in the middle", io.ErrUnexpectedEOF, askLeader, restart},
		{"no answer in time", context.DeadlineExceeded, askLeader, restart},
		{"no answer to the question for the coordinator", lookup{io.EOF}, askLeader, askLeader},

		{"the batch was written before", kafka.DuplicateSequenceNumber, proceed, proceed},
		{"a batch before this one is missing", kafka.OutOfOrderSequenceNumber, restart, restart},
		{"the broker forgot the producer", kafka.UnknownProducerId, restart, restart},
		{"the transactional id expired", kafka.InvalidProducerIDMapping, restart, restart},
		{"the transaction is in the wrong state", kafka.InvalidTransactionState, restart, restart},
		{"the transaction may only be aborted", transactionAbortable, restart, restart},
		{"the broker does not know what happened", kafka.Unknown, restart, restart},
		{"a code from the future", kafka.Error(999), restart, restart},

		{"the generation is over", kafka.IllegalGeneration, leave, leave},
		{"the group put this member out", kafka.UnknownMemberId, leave, leave},
		{"the group rebalances", kafka.RebalanceInProgress, leave, leave},
		{"another instance has the name", kafka.FencedInstanceID, leave, leave},
		{"the group is no more", kafka.GroupIdNotFound, leave, leave},
		{"another producer has a higher epoch", kafka.InvalidProducerEpoch, leave, leave},
		{"another producer took over", kafka.ProducerFenced, leave, leave},

		{"the topic is forbidden", kafka.TopicAuthorizationFailed, giveUp, giveUp},
		{"the group is forbidden", kafka.GroupAuthorizationFailed, giveUp, giveUp},
		{"the transactional id is forbidden", kafka.TransactionalIDAuthorizationFailed, giveUp, giveUp},
		{"the cluster is forbidden", kafka.ClusterAuthorizationFailed, giveUp, giveUp},
		{"the password is wrong", kafka.SASLAuthenticationFailed, giveUp, giveUp},
		{"the record is too large", kafka.MessageSizeTooLarge, giveUp, giveUp},
		{"the session time-out is out of the broker's bounds", kafka.InvalidSessionTimeout, giveUp, giveUp},
		{"the transaction time-out is out of the broker's bounds", kafka.InvalidTransactionTimeout, giveUp, giveUp},
		{"a message format of the past", errFormat, giveUp, giveUp},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			wrapped := fmt.Errorf("broker 1: %w", row.err)
			if got := judge(wrapped, false); got != row.want {
				t.Errorf("repeatable: action %d, want %d", got, row.want)
			}
			if got := judge(wrapped, true); got != row.final {
				t.Errorf("final: action %d, want %d", got, row.final)
			}
		})
	}
}

func TestFailureShowsItsSentinel(t *testing.T) {
	rows := []struct {
		story   string
		act     action
		cause   error
		restart bool
		fenced  bool
	}{
		{"time is up while the leader is away", askLeader, kafka.LeaderNotAvailable, true, false},
		{"time is up while the previous transaction closes", again, kafka.ConcurrentTransactions, true, false},
		{"time is up and the topic is still unknown", askLeader, kafka.UnknownTopicOrPartition, false, false},
		{"time is up and the batch is still corrupt", again, errCorrupt, false, false},
		{"the commit's answer was lost", restart, io.EOF, true, false},
		{"fenced", leave, kafka.ProducerFenced, false, true},
		{"forbidden", giveUp, kafka.TopicAuthorizationFailed, false, false},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			err := failed("produce", row.act, row.cause, false)
			if errors.Is(err, ErrRestart) != row.restart || errors.Is(err, ErrFenced) != row.fenced || !errors.Is(err, row.cause) {
				t.Fatalf("%v: restart %v, fenced %v", err, errors.Is(err, ErrRestart), errors.Is(err, ErrFenced))
			}
		})
	}
}

func TestGraverKeepsTheWorseActionAndEveryDoubt(t *testing.T) {
	mild := failed("add offsets", restart, io.EOF, true)
	grave := failed("produce", leave, kafka.ProducerFenced, false)
	for _, err := range []error{graver(mild, grave), graver(grave, mild)} {
		if !errors.Is(err, ErrFenced) || errors.Is(err, ErrRestart) || mayAbort(err) {
			t.Fatalf("%v must be fenced, and in doubt", err)
		}
	}
	if graver(nil, nil) != nil || graver(nil, mild) == nil || graver(mild, nil) == nil {
		t.Fatal("one error of two must be kept")
	}
}
