package consumer

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

const (
	// fetchWait is how long a broker holds a fetch for which it has nothing.
	fetchWait = 250 * time.Millisecond
	// fetchBytes is how much it may send at once; one whole batch always comes.
	fetchBytes = 2 << 20
	// maxAnswer bounds an answer, against a size field that is not one.
	maxAnswer = 1 << 30
)

// Isolation levels.
const (
	readUncommitted = 0
	readCommitted   = 1
)

// aborted is a transaction of a producer that begins at an offset and whose
// batches must not be seen.
type aborted struct {
	producer, first int64
}

// fetched is the answer to a fetch of one partition, its batches still encoded.
// kafka-go's own type drops the last offset of a batch, without which an empty
// batch cannot be stepped over, and reads null header values as empty ones.
type fetched struct {
	code                int16
	high, stable, start int64
	aborted             []aborted
	data                []byte
}

// ApiKey makes fetched a protocol.Message.
func (*fetched) ApiKey() protocol.ApiKey { return protocol.Fetch }

// fetchCall is a fetch of one partition whose answer is read by this package.
type fetchCall struct {
	fetch.Request
	client  string
	version int16
}

// Required makes the connection call RawExchange, and tells the API version.
func (f *fetchCall) Required(versions map[protocol.ApiKey]int16) bool {
	f.version = versions[protocol.Fetch]
	return true
}

// RawExchange sends the request and reads the answer as it is.
func (f *fetchCall) RawExchange(conn io.ReadWriter) (protocol.Message, error) {
	if err := protocol.WriteRequest(conn, f.version, 1, f.client, &f.Request); err != nil {
		return nil, err
	}
	var prefix [4]byte
	if _, err := io.ReadFull(conn, prefix[:]); err != nil {
		return nil, err
	}
	size := int32(binary.BigEndian.Uint32(prefix[:]))
	if size < 4 || size > maxAnswer {
		return nil, fmt.Errorf("answer to a fetch has an impossible size of %d bytes", size)
	}
	answer := make([]byte, size)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	return readFetched(answer[4:], f.version)
}

// fetch asks the leader of a partition for batches from offset on.
func (c *Client) fetch(ctx context.Context, from topicPartition, offset int64, limit int32) (*fetched, error) {
	return call[*fetched](ctx, c, &fetchCall{client: c.cfg.ClientID, Request: fetch.Request{
		ReplicaID:      -1,
		MaxWaitTime:    int32(fetchWait.Milliseconds()),
		MinBytes:       1,
		MaxBytes:       limit,
		IsolationLevel: readCommitted,
		SessionEpoch:   -1, // no fetch session
		Topics: []fetch.RequestTopic{{Topic: from.topic, Partitions: []fetch.RequestPartition{{
			Partition:          from.partition,
			CurrentLeaderEpoch: -1,
			FetchOffset:        offset,
			PartitionMaxBytes:  limit,
		}}}},
	}})
}

// readFetched decodes the answer to a fetch of exactly one partition, after its
// correlation id, in the versions 4 (the first with transactions) to 11.
func readFetched(answer []byte, version int16) (*fetched, error) {
	if version < 4 || version > 11 {
		return nil, fmt.Errorf("fetch version %d is not supported, the broker is older than kafka 0.11", version)
	}
	r := wire{data: answer}
	r.skip(4) // throttle time
	f := &fetched{}
	if version >= 7 {
		f.code = r.int16()
		r.skip(4) // session
	}
	if r.int32() != 1 { // topics
		return f, r.sessionError(f)
	}
	r.skip(int(r.int16())) // name
	if r.int32() != 1 {    // partitions
		return f, r.sessionError(f)
	}
	r.skip(4) // partition
	if code := r.int16(); code != 0 {
		f.code = code
	}
	f.high, f.stable, f.start = r.int64(), r.int64(), -1
	if version >= 5 {
		f.start = r.int64()
	}
	for n := r.int32(); n > 0 && !r.short; n-- {
		f.aborted = append(f.aborted, aborted{producer: r.int64(), first: r.int64()})
	}
	if version >= 11 {
		r.skip(4) // preferred replica
	}
	f.data = r.take(int(r.int32()))
	if r.short {
		return nil, fmt.Errorf("%w: answer to a fetch is cut", errCorrupt)
	}
	return f, nil
}
