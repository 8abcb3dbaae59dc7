package realkafka

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestWhatWasAcknowledgedSurvivesAKilledBroker(t *testing.T) {
	k := Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.DefaultProduceTopic("letters"), kgo.ConsumeTopics("letters"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "letters", 1, 1
	request := kmsg.NewCreateTopicsRequest()
	request.Topics = append(request.Topics, topic)
	if _, err := request.RequestWith(ctx, client); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(ctx, kgo.StringRecord("kept")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	k.Kill9()
	if conn, err := net.Dial("tcp", k.Addr()); err == nil {
		conn.Close()
		t.Fatal("the broker still listens after kill -9")
	}
	k.Restart()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if records := fetches.Records(); len(records) > 0 {
			if got := string(records[0].Value); got != "kept" {
				t.Fatalf("read back %q, want %q", got, "kept")
			}
			return
		}
	}
	t.Fatal("the record did not come back within the time")
}

func TestVersityChecksWhoAsks(t *testing.T) {
	v := StartVersity(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	put := func(secret string) error {
		client, err := minio.New(strings.TrimPrefix(v.URL, "http://"), &minio.Options{
			Creds: credentials.NewStaticV4(v.AccessKey, secret, ""), Region: "us-east-1", MaxRetries: 1,
		})
		if err != nil {
			return err
		}
		if err := client.MakeBucket(ctx, "photos", minio.MakeBucketOptions{}); err != nil {
			return err
		}
		_, err = client.PutObject(ctx, "photos", "album 7/a+b é.jpg", bytes.NewReader([]byte("bytes")), 5, minio.PutObjectOptions{})
		return err
	}
	if err := put("wrong"); err == nil {
		t.Error("a wrong secret was accepted")
	}
	if err := put(v.SecretKey); err != nil {
		t.Errorf("the right secret was refused: %v", err)
	}
}

func TestAPartThatDoesNotStartIsNamedWithItsLog(t *testing.T) {
	p, err := startProcess("a program", t.TempDir()+"/log", "/bin/sh", "-c", "echo cannot bind; exit 1")
	if err != nil {
		t.Fatal(err)
	}
	err = p.waitPort("127.0.0.1:1", 5*time.Second)
	if err == nil || !strings.Contains(err.Error(), "a program ended") || !strings.Contains(err.Error(), "cannot bind") {
		t.Errorf("got %v", err)
	}
	if _, err := startProcess("nothing", t.TempDir()+"/log", "/no/such/program"); err == nil {
		t.Error("a missing program was started")
	}
}

func TestABrokerApartFromItsControllerComesBack(t *testing.T) {
	k := StartSplit(t)
	k.Kill9()
	time.Sleep(Missed)
	k.Restart()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for { // it listens before the controller lets it work
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "letters", 1, 1
		request := kmsg.NewPtrCreateTopicsRequest()
		request.Topics = append(request.Topics, topic)
		answer, err := request.RequestWith(ctx, client)
		if err == nil && answer.Topics[0].ErrorCode == 0 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("make a topic: %v %+v", err, answer)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
