package deploy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
)

// fortress is a Kafka and a store that let nobody do anything unasked.
type fortress struct {
	kafka  *realkafka.Secure
	store  *realkafka.Versity
	admin  *kgo.Client
	binary string
}

func newFortress(t *testing.T, users map[string]string) *fortress {
	t.Helper()
	f := &fortress{kafka: realkafka.StartSecure(t, users), store: realkafka.StartVersity(t), binary: buildBinary(t)}
	f.admin = f.client(t)
	t.Cleanup(f.admin.Close)
	f.makeTopics(t)
	return f
}

// client is the administrator's, and not the worker's.
func (f *fortress) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	login := scram.Auth{User: "admin", Pass: f.kafka.AdminPassword}
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(f.kafka.Addr()), kgo.DialTLSConfig(f.kafka.TLS()), kgo.SASL(login.AsSha512Mechanism()))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (f *fortress) makeTopics(t *testing.T) {
	t.Helper()
	request := kmsg.NewCreateTopicsRequest()
	for _, name := range []string{"photos", "planetag.backfill", "planetag.embeddings", "planetag.locations", "planetag.dead-letters"} {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 2, 1
		request.Topics = append(request.Topics, topic)
	}
	answer, err := request.RequestWith(t.Context(), f.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range answer.Topics {
		if topic.ErrorCode != 0 {
			t.Fatalf("make topic %s: code %d", topic.Topic, topic.ErrorCode)
		}
	}
}

// allow gives a user these rights and no others.
func (f *fortress) allow(t *testing.T, user string, rows []grant) {
	t.Helper()
	request := kmsg.NewCreateACLsRequest()
	for _, g := range rows {
		g.acl.Principal = "User:" + user
		request.Creations = append(request.Creations, g.acl)
	}
	answer, err := request.RequestWith(t.Context(), f.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range answer.Results {
		if result.ErrorCode != 0 {
			t.Fatalf("allow %s: code %d", user, result.ErrorCode)
		}
	}
}

// settings are a worker's variables, all by environment: with this user's password, the store's keys, and the small bundle.
func (f *fortress) settings(t *testing.T, user, password string) map[string]string {
	t.Helper()
	return map[string]string{
		"KAFKA_BROKERS": f.kafka.Addr(), "KAFKA_SESSION_TIMEOUT": "6s", "TOPICS_CREATE": "false", "TOPICS_PARTITIONS": "2",
		"KAFKA_TLS_ENABLED": "true", "KAFKA_TLS_CA_FILE": f.kafka.CAFile,
		"KAFKA_SASL_MECHANISM": "scram-sha-512", "KAFKA_SASL_USERNAME": user, "KAFKA_SASL_PASSWORD": password,
		"S3_ENDPOINT": f.store.URL, "S3_ACCESS_KEY": f.store.AccessKey, "S3_SECRET_KEY": f.store.SecretKey, "S3_BUCKET": bucket,
		"S3_GONE_GRACE": "1s", "ALBUMS_IDLE": "10m", "HTTP_LISTEN": realkafka.FreeAddress(t), "LOG_LEVEL": "debug",
		"BUNDLE_PATH": filepath.Join(realkafka.Root(t), "enrich", "testdata", "tiny"),
	}
}

// with returns the settings with some of them changed, given as name, value, name, value.
func with(settings map[string]string, changes ...string) map[string]string {
	changed := maps.Clone(settings)
	for i := 0; i < len(changes); i += 2 {
		changed[changes[i]] = changes[i+1]
	}
	return changed
}

// command is `planetag run` with the settings; what it writes is watched for secrets.
func (f *fortress) command(ctx context.Context, t *testing.T, settings map[string]string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd, log := exec.CommandContext(ctx, f.binary, "run"), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, environment()
	for name, value := range settings {
		cmd.Env = append(cmd.Env, "PLANETAG_"+name+"="+value)
	}
	secrets.Watch(t, "the worker's log", func() string { return log.String() })
	return cmd, log
}

// ending runs a worker that cannot work: it must end by itself with the status. It returns its last words.
func (f *fortress) ending(t *testing.T, settings map[string]string, status int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd, log := f.command(ctx, t, settings)
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != status {
		t.Fatalf("ended with %v, want status %d\n%s", err, status, log.String())
	}
	_, words, _ := strings.Cut("\n"+log.String(), "\nplanetag: ")
	t.Log(strings.TrimSpace(words))
	return strings.TrimSpace(words)
}

// refused wants the last words to be one line that says all this.
func (f *fortress) refused(t *testing.T, settings map[string]string, status int, says ...string) {
	t.Helper()
	words := f.ending(t, settings, status)
	if words == "" || strings.Contains(words, "\n") {
		t.Errorf("the last words are not one line:\n%s", words)
	}
	for _, want := range says {
		if !strings.Contains(words, want) {
			t.Errorf("the last words lack %q:\n%s", want, words)
		}
	}
}

// untouched fails the test if any of the worker's topics holds a record, or its groups an offset.
func (f *fortress) untouched(t *testing.T) {
	t.Helper()
	offsets := kmsg.NewListOffsetsRequest()
	for _, name := range []string{"planetag.embeddings", "planetag.locations", "planetag.dead-letters"} {
		topic := kmsg.NewListOffsetsRequestTopic()
		topic.Topic = name
		for partition := range int32(2) {
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Partition, p.Timestamp = partition, -1
			topic.Partitions = append(topic.Partitions, p)
		}
		offsets.Topics = append(offsets.Topics, topic)
	}
	answer, err := offsets.RequestWith(t.Context(), f.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			if p.ErrorCode != 0 || p.Offset != 0 {
				t.Errorf("topic %s partition %d ends at %d, code %d; want nothing written", topic.Topic, p.Partition, p.Offset, p.ErrorCode)
			}
		}
	}
	for _, group := range []string{"planetag.photos", "planetag.backfill", "planetag.albums"} {
		if n := f.committed(t, group); n != 0 {
			t.Errorf("group %s has committed offsets, %d records in all", group, n)
		}
	}
}

// committed is the sum of a group's offsets.
func (f *fortress) committed(t *testing.T, group string) (sum int64) {
	t.Helper()
	request := kmsg.NewOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	request.Group, request.Groups = group, append(request.Groups, g)
	answer, err := request.RequestWith(t.Context(), f.admin)
	for begun := time.Now(); errors.Is(err, kerr.CoordinatorNotAvailable) && time.Since(begun) < time.Minute; { // no group was joined, so none is made yet
		time.Sleep(100 * time.Millisecond)
		answer, err = request.RequestWith(t.Context(), f.admin)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range answer.Groups {
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				sum += max(p.Offset, 0)
			}
		}
	}
	return sum
}

// fileOf writes a file and returns its path.
func fileOf(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(fmt.Errorf("write %s: %w", name, err))
	}
	return path
}
