package consumer

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

var (
	// ErrRestart means that what was not committed must be done again: return it
	// from the handler, which is then called again, in the same generation, at
	// the committed offset.
	ErrRestart = errors.New("transaction lost, go on from the committed offset")
	// ErrFenced means that another member owns the partition: the generation
	// is over for this one.
	ErrFenced = errors.New("partition taken over by another member")
	// ErrDataLost means that retention deleted records before they were read, and
	// that [StopReading] forbids to go on without them.
	ErrDataLost = errors.New("unread records were deleted")
	// ErrStop is returned by the callback of Tail to end it without an error.
	ErrStop = errors.New("stop reading")
)

// action is what to do about the outcome of one request, mildest first.
type action int

const (
	// proceed: the broker had done it before.
	proceed action = iota
	// again: the same request after a pause.
	again
	// askCoordinator: forget who coordinates, then the same request.
	askCoordinator
	// askLeader: refresh the cluster's layout, then the same request.
	askLeader
	// restart: the transaction cannot go on, or its fate is unknown.
	restart
	// leave: the membership or the producer is no longer ours.
	leave
	// giveUp: no repetition heals it.
	giveUp
)

// actions is the table of error codes. It says what is right while there is time;
// see failed for what follows when time is up.
var actions = map[kafka.Error]action{
	kafka.DuplicateSequenceNumber: proceed,

	kafka.InvalidMessage:               again, // a checksum that broke on the way
	kafka.RequestTimedOut:              again,
	kafka.NetworkException:             again,
	kafka.NotEnoughReplicas:            again,
	kafka.NotEnoughReplicasAfterAppend: again,
	kafka.ConcurrentTransactions:       again,
	kafka.UnstableOffsetCommit:         again,
	kafka.ThrottlingQuotaExceeded:      again,
	kafka.OffsetNotAvailable:           again,

	kafka.GroupLoadInProgress:          askCoordinator,
	kafka.GroupCoordinatorNotAvailable: askCoordinator,
	kafka.NotCoordinatorForGroup:       askCoordinator,
	kafka.TransactionCoordinatorFenced: askCoordinator,

	kafka.UnknownTopicOrPartition: askLeader, // normal for moments after a start or a move
	kafka.LeaderNotAvailable:      askLeader,
	kafka.NotLeaderForPartition:   askLeader,
	kafka.BrokerNotAvailable:      askLeader,
	kafka.ReplicaNotAvailable:     askLeader,
	kafka.KafkaStorageError:       askLeader,
	kafka.ListenerNotFound:        askLeader,
	kafka.FencedLeaderEpoch:       askLeader,
	kafka.UnknownLeaderEpoch:      askLeader,
	kafka.NotController:           askLeader,

	kafka.Unknown:                  restart,
	kafka.OutOfOrderSequenceNumber: restart,
	kafka.InvalidTransactionState:  restart,
	kafka.InvalidProducerIDMapping: restart,
	kafka.UnknownProducerId:        restart,
	transactionAbortable:           restart,

	kafka.IllegalGeneration:    leave,
	kafka.UnknownMemberId:      leave,
	kafka.RebalanceInProgress:  leave,
	kafka.FencedInstanceID:     leave,
	kafka.GroupIdNotFound:      leave,
	kafka.InvalidProducerEpoch: leave,
	kafka.ProducerFenced:       leave,

	kafka.TopicAuthorizationFailed:           giveUp,
	kafka.GroupAuthorizationFailed:           giveUp,
	kafka.ClusterAuthorizationFailed:         giveUp,
	kafka.TransactionalIDAuthorizationFailed: giveUp,
	kafka.SASLAuthenticationFailed:           giveUp,
	kafka.UnsupportedSASLMechanism:           giveUp,
	kafka.IllegalSASLState:                   giveUp,
	kafka.UnsupportedVersion:                 giveUp,
	kafka.UnsupportedForMessageFormat:        giveUp,
	kafka.InvalidTopic:                       giveUp,
	kafka.InvalidGroupId:                     giveUp,
	kafka.InconsistentGroupProtocol:          giveUp,
	kafka.InvalidSessionTimeout:              giveUp,
	kafka.InvalidTransactionTimeout:          giveUp,
	kafka.InvalidRequiredAcks:                giveUp,
	kafka.InvalidRequest:                     giveUp,
	kafka.InvalidTimestamp:                   giveUp,
	kafka.InvalidRecord:                      giveUp,
	kafka.MessageSizeTooLarge:                giveUp,
	kafka.RecordListTooLarge:                 giveUp,
	kafka.OffsetMetadataTooLarge:             giveUp,
	kafka.InvalidCommitOffsetSize:            giveUp,
	kafka.PolicyViolation:                    giveUp,
}

// actionOf looks a code up. One that this version does not know says nothing about
// the transaction, which therefore is lost.
func actionOf(code kafka.Error) action {
	if act, known := actions[code]; known {
		return act
	}
	return restart
}

// transactionAbortable is a code that kafka-go v0.4.51 has no name for.
const transactionAbortable kafka.Error = 120

// judge turns the outcome of a request into an action. final tells that a second
// copy of the request could do harm (EndTxn, TxnOffsetCommit): where it is not
// certain that the first copy was refused or never sent, the transaction is lost.
func judge(err error, final bool) action {
	var code kafka.Error
	switch {
	case errors.As(err, &code):
		if final && code == kafka.RequestTimedOut {
			return restart
		}
		return actionOf(code)
	case errors.Is(err, protocol.ErrNoTopic), errors.Is(err, protocol.ErrNoPartition),
		errors.Is(err, protocol.ErrNoLeader), neverSent(err):
		return askLeader
	case errors.Is(err, errCorrupt):
		return again
	case errors.Is(err, errFormat):
		return giveUp
	case final:
		return restart
	}
	return askLeader // a broken connection: its broker may be gone
}

// uncertain reports whether a request that failed with err may still reach the
// broker or may have been carried out.
func uncertain(err error) bool {
	var code kafka.Error
	if errors.As(err, &code) {
		return code == kafka.RequestTimedOut || code == kafka.Unknown
	}
	return !neverSent(err)
}

func neverSent(err error) bool {
	var asked lookup
	if errors.As(err, &asked) {
		return true
	}
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" {
		return true
	}
	return errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition) ||
		errors.Is(err, protocol.ErrNoLeader)
}

// failure is an outcome that no further repetition of the request can change.
type failure struct {
	action action
	cause  error
	// doubt tells that a copy of the request may still be on its way.
	doubt bool
}

// failed makes the failure of a request. An outcome that more time might have
// changed asks for a restart, except that a topic which stays unknown and a batch
// which stays corrupt are beyond help.
func failed(what string, act action, err error, doubt bool) error {
	if act < restart {
		act = restart
		if missing(err) || errors.Is(err, errCorrupt) {
			act = giveUp
		}
	}
	return &failure{act, fmt.Errorf("%s: %w", what, err), doubt}
}

// graver joins the outcomes of two requests that ran side by side.
func graver(a, b error) error {
	var first, second *failure
	if a == nil || b == nil || !errors.As(a, &first) || !errors.As(b, &second) {
		return errors.Join(a, b)
	}
	return &failure{max(first.action, second.action), errors.Join(first.cause, second.cause), first.doubt || second.doubt}
}

func missing(err error) bool {
	return errors.Is(err, kafka.UnknownTopicOrPartition) ||
		errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition)
}

func (f *failure) Error() string { return f.cause.Error() }

// Unwrap shows the cause and the sentinel that stands for the action.
func (f *failure) Unwrap() []error {
	switch f.action {
	case restart:
		return []error{ErrRestart, f.cause}
	case leave:
		return []error{ErrFenced, f.cause}
	}
	return []error{f.cause}
}

// ended reports whether err came only from the end of a context.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
