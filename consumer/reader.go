package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
)

// Timestamps with a meaning in ListOffsets.
const (
	atEnd   = -1 // the high watermark: everything that is written, also what is not yet committed
	atStart = -2
)

// reader walks along one partition. One goroutine calls next; position and end
// may be read by any.
type reader struct {
	client   *Client
	from     topicPartition
	stage    string
	position atomic.Int64
	end      atomic.Int64 // the high watermark last seen
	reads    atomic.Int64 // how often next was called
	// limit grows when a batch does not fit, for brokers that cut the first one.
	limit    int32
	troubled time.Time // since when nothing works; zero while it does
	warned   time.Time
}

// next returns committed records from position on. Trouble that may pass gives no
// records and no error, after a short pause: the caller has other things to do
// than to wait here, and its membership ends when the cluster stays away.
func (r *reader) next(ctx context.Context) ([]Record, error) {
	r.reads.Add(1)
	at := r.position.Load()
	answer, err := r.client.fetch(ctx, r.from, at, max(r.limit, fetchBytes))
	if err == nil {
		err = codeError(answer.code)
	}
	if errors.Is(err, kafka.OffsetOutOfRange) {
		return nil, r.jump(ctx, at)
	}
	if err != nil {
		return nil, r.trouble(ctx, err)
	}
	records, next, err := answer.visible(r.from, at)
	if err != nil {
		return nil, r.trouble(ctx, err)
	}
	if next == at && len(answer.data) > 0 {
		r.limit = min(2*max(r.limit, fetchBytes), maxAnswer/2)
	}
	r.troubled = time.Time{}
	r.position.Store(next)
	r.end.Store(answer.high)
	r.report()
	return records, nil
}

func (r *reader) report() {
	r.client.cfg.Observer.Progress(r.stage, r.from.topic, int(r.from.partition), r.position.Load(), r.end.Load())
}

// jump goes on at the start of the log after the broker said that position is
// outside of it, or refuses to, and makes it known in any case.
func (r *reader) jump(ctx context.Context, position int64) error {
	start, err := r.client.offsetAt(ctx, r.from, atStart)
	if err != nil {
		return r.trouble(ctx, err)
	}
	r.client.cfg.Observer.DataLost(r.from.topic, int(r.from.partition), position, start)
	r.client.cfg.Log.Error("unread records are gone; is the topic's retention longer than the longest pause?",
		"topic", r.from.topic, "partition", r.from.partition, "wanted", position, "start", start, "policy", r.client.cfg.OnDataLoss)
	if r.client.cfg.OnDataLoss == StopReading {
		return failed(fmt.Sprintf("read topic %q partition %d", r.from.topic, r.from.partition), giveUp,
			fmt.Errorf("%w: offsets %d to %d; set kafka.on_data_loss to continue to go on at %[3]d", ErrDataLost, position, start), false)
	}
	r.position.Store(start)
	r.report()
	return nil
}

// trouble decides about a fetch that failed.
func (r *reader) trouble(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	what := fmt.Sprintf("fetch topic %q partition %d offset %d", r.from.topic, r.from.partition, r.position.Load())
	act, now := judge(err, false), time.Now()
	if r.troubled.IsZero() {
		r.troubled = now
	}
	spent := now.Sub(r.troubled) > r.client.cfg.TransactionTimeout/2
	if act >= restart || spent && (missing(err) || errors.Is(err, errCorrupt)) {
		return failed(what, act, r.client.explain(err, []right{onTopic("Read", r.from.topic)}), false)
	}
	if spent && now.Sub(r.warned) > 30*time.Second {
		r.warned = now
		r.client.cfg.Log.Warn("cannot fetch, still trying", "since", now.Sub(r.troubled), "err", fmt.Errorf("%s: %w", what, err))
	}
	if act == askLeader {
		r.client.refresh(ctx)
	}
	pause(ctx, fetchWait/5)
	return nil
}

// offsetAt looks up an end of a partition, once.
func (c *Client) offsetAt(ctx context.Context, of topicPartition, at int64) (int64, error) {
	answer, err := call[*listoffsets.Response](ctx, c, &listoffsets.Request{
		ReplicaID:      -1,
		IsolationLevel: readUncommitted,
		Topics: []listoffsets.RequestTopic{{Topic: of.topic, Partitions: []listoffsets.RequestPartition{{
			Partition: of.partition, CurrentLeaderEpoch: -1, Timestamp: at,
		}}}},
	})
	if err != nil {
		return 0, err
	}
	if len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return 0, fmt.Errorf("answer to list offsets lacks its partition: %w", kafka.NetworkException)
	}
	found := answer.Topics[0].Partitions[0]
	return found.Offset, codeError(found.ErrorCode)
}
