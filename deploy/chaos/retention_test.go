package chaos

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// deleteUnread lets the start of the input's log move beyond what the group has read, as retention does, and holds that the worker says how much was
// lost, goes on when it is set to, and stops when it is set to.
func deleteUnread(ctx context.Context, s *scene, faults int) {
	share := len(s.queue)/(2*faults) + 1
	total := 0
	for i := range faults {
		s.release(ctx, share)
		s.settle(ctx)
		for len(s.fleet.running) > 0 {
			s.fleet.terminate(s.fleet.running[0])
		}
		before := len(s.feed.sent)
		s.release(ctx, share)
		if err := s.feed.finish(ctx); err != nil {
			s.t.Fatal(err)
		}
		deleted := s.deleteHalf(ctx, s.feed.sent[before:])
		total += deleted
		if i == 0 {
			s.wantStop(ctx)
		}
		w := s.fleet.start()
		s.settle(ctx)
		f, err := w.scrape()
		if lost := int(f.sum("planetag_lost_records_total")); err != nil || lost != deleted {
			s.t.Errorf("the worker counts %d lost records, %d were deleted unread (%v)", lost, deleted, err)
		}
		s.counts["deletion of unread records"]++
	}
	log, _ := os.ReadFile(s.fleet.log)
	if said := strings.Count(string(log), "unread records are gone"); said < faults {
		s.t.Errorf("%d deletions, %d lines about them in the log", faults, said)
	}
	s.note("%d references were deleted before they were read; the workers counted each of them, said so in the log, and with kafka.on_data_loss: stop ended", total)
}

// wantStop starts a worker that is to stop when unread records are gone, and wants it to.
func (s *scene) wantStop(ctx context.Context) {
	s.t.Helper()
	calm := s.fleet.env
	s.fleet.env = append(append([]string{}, calm...), "PLANETAG_KAFKA_ON_DATA_LOSS=stop")
	w := s.fleet.start()
	s.fleet.env = calm
	select {
	case <-w.done:
		if w.err == nil {
			s.t.Error("the worker found unread records gone and ended as if all were well")
		}
	case <-time.After(30 * time.Second):
		s.t.Error("the worker found unread records gone and did not stop, though it was set to")
		_ = w.cmd.Process.Kill()
		<-w.done
	case <-ctx.Done():
	}
	s.fleet.forget(w)
}

// deleteHalf deletes the older half of the given references, partition by partition, and returns how many are gone.
func (s *scene) deleteHalf(ctx context.Context, list []*reference) (deleted int) {
	s.t.Helper()
	byPartition := map[int32][]*reference{}
	for _, r := range list {
		byPartition[r.partition] = append(byPartition[r.partition], r)
	}
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = s.names.input
	for partition, list := range byPartition {
		part := kmsg.NewDeleteRecordsRequestTopicPartition()
		part.Partition, part.Offset = partition, list[len(list)/2].offset
		topic.Partitions = append(topic.Partitions, part)
		for _, r := range list {
			if r.offset < part.Offset {
				r.kind = deletedUnread
				deleted++
			}
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.set.addresses()...))
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis, request.Topics = 10000, append(request.Topics, topic)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				s.t.Fatalf("delete records of partition %d: code %d", p.Partition, p.ErrorCode)
			}
		}
	}
	return deleted
}
