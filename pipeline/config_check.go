package pipeline

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Validate joins every mistake in the configuration, each with the key's full name and what to write instead. It opens no
// file and no connection. The error wraps ErrConfig.
func (c Config) Validate() error {
	var m mistakes
	c.Kafka.check(&m)
	c.Topics.check(&m)
	c.checkMapping(&m)
	c.S3.check(&m)
	c.checkStages(&m)
	c.checkAlbums(&m)
	m.atLeast("photos.live_weight", c.Photos.LiveWeight, 1)
	c.checkIndex(&m)
	c.checkMemory(&m)
	c.checkDecode(&m)
	c.Accelerator.check(&m)
	m.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	m.oneOf("log.format", c.Log.Format, "auto", "text", "json")
	if c.HTTP.Listen != "" {
		if err := c.HTTP.checkListen(); err != nil {
			m.add("%s", strings.TrimPrefix(err.Error(), ErrConfig.Error()+": "))
		}
	}
	m.positive("http.stall_after", c.HTTP.StallAfter)
	m.positive("shutdown.deadline", c.Shutdown.Deadline)
	c.checkWatchdog(&m)
	if len(m) == 0 {
		return nil
	}
	return fmt.Errorf("%w:\n%w", ErrConfig, errors.Join(m...))
}

// mistakes collects what is wrong.
type mistakes []error

func (m *mistakes) add(format string, args ...any) { *m = append(*m, fmt.Errorf(format, args...)) }

func (m *mistakes) when(wrong bool, format string, args ...any) {
	if wrong {
		m.add(format, args...)
	}
}

func (m *mistakes) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		choice := strings.Join(allowed, ", ")
		if allowed[0] == "" {
			choice = "empty" + choice
		}
		m.add("%s is %q; it can be %s", key, value, choice)
	}
}

func (m *mistakes) positive(key string, d Duration) {
	m.when(d <= 0, "%s is %s; it must be greater than 0", key, d)
}

func (m *mistakes) atLeast(key string, value, least int) {
	m.when(value < least, "%s is %d; it must be at least %d", key, value, least)
}

func (k KafkaConfig) check(m *mistakes) {
	m.when(len(k.Brokers) == 0, "kafka.brokers is empty; name at least one broker as host:port")
	for _, broker := range k.Brokers {
		_, _, err := net.SplitHostPort(broker)
		m.when(err != nil, "kafka.brokers has %q; write it as host:port", broker)
	}
	m.when(k.ClientID == "", "kafka.client_id is empty; give this worker a name for the broker's logs")
	m.when(k.Group == "", "kafka.group is empty; workers with the same group share the photos")
	m.oneOf("kafka.delivery", k.Delivery, "exactly_once", "at_least_once")
	m.oneOf("kafka.on_data_loss", k.OnDataLoss, "continue", "stop")
	m.positive("kafka.session_timeout", k.SessionTimeout)
	m.positive("kafka.rebalance_timeout", k.RebalanceTimeout)
	m.positive("kafka.transaction_timeout", k.TransactionTimeout)
	m.when(time.Duration(k.TransactionTimeout) > 15*time.Minute,
		"kafka.transaction_timeout is %s; brokers refuse more than transaction.max.timeout.ms, 15m by default", k.TransactionTimeout)

	m.when((k.TLS.CertFile == "") != (k.TLS.KeyFile == ""), "kafka.tls.cert_file and kafka.tls.key_file go together; set both or neither")
	off := k.TLS
	off.Enabled = false
	m.when(!k.TLS.Enabled && off != TLSConfig{}, "kafka.tls.enabled is false, but other keys of kafka.tls are set; set it to true")

	m.oneOf("kafka.sasl.mechanism", k.SASL.Mechanism, "", "plain", "scram-sha-256", "scram-sha-512")
	m.when(k.SASL.Password != "" && k.SASL.PasswordFile != "", "kafka.sasl.password and kafka.sasl.password_file are both set; keep one")
	hasPassword := k.SASL.Password != "" || k.SASL.PasswordFile != ""
	m.when(k.SASL.Mechanism == "" && (k.SASL.Username != "" || hasPassword),
		"kafka.sasl.mechanism is empty, but a user or a password is set; say which mechanism")
	m.when(k.SASL.Mechanism != "" && (k.SASL.Username == "" || !hasPassword),
		"kafka.sasl.mechanism is %s; it needs kafka.sasl.username and a password or password_file", k.SASL.Mechanism)
}

func (t TopicsConfig) check(m *mistakes) {
	seen := make(map[string]string)
	for _, topic := range []struct{ key, name string }{
		{"topics.input", t.Input},
		{"topics.embeddings", t.Embeddings},
		{"topics.locations", t.Locations},
		{"topics.dead_letters", t.DeadLetters},
		{"topics.backfill", t.Backfill},
		{"topics.state", t.State},
	} {
		if topic.key == "topics.backfill" && topic.name == "" {
			continue
		}
		m.when(!isTopicName(topic.name), "%s is %q; a topic name has 1 to 249 letters, digits, dots, hyphens and underscores", topic.key, topic.name)
		other, twice := seen[topic.name]
		m.when(twice, "%s and %s are both %q; each needs a topic of its own", other, topic.key, topic.name)
		seen[topic.name] = topic.key
	}
	m.atLeast("topics.partitions", t.Partitions, 1)
	m.atLeast("topics.replication", t.Replication, 1)
}

func isTopicName(name string) bool {
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
	}
	return name != "" && name != "." && name != ".." && len(name) <= 249 && !strings.ContainsFunc(name, odd)
}

func (s S3Config) check(m *mistakes) {
	u, err := url.Parse(s.Endpoint)
	m.when(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil,
		"s3.endpoint is %q; write it like https://s3.example.org or http://localhost:9000", s.Endpoint)
	m.when(s.Region == "", "s3.region is empty; most stores take us-east-1")
	m.when(s.SecretKey != "" && s.SecretKeyFile != "", "s3.secret_key and s3.secret_key_file are both set; keep one")
	hasSecret := s.SecretKey != "" || s.SecretKeyFile != ""
	m.when((s.AccessKey != "") != hasSecret, "s3.access_key and s3.secret_key (or secret_key_file) go together; set both or neither")
	m.when(s.Anonymous && (s.AccessKey != "" || hasSecret), "s3.anonymous is true, but keys are set; keep one")
	if s.Bucket != "" {
		err := checkBucket(s.Bucket)
		m.when(err != nil, "s3.bucket is %q; it %v", s.Bucket, err)
	}
	m.atLeast("s3.min_parallel", s.MinParallel, 1)
	m.when(s.MaxParallel < s.MinParallel, "s3.max_parallel is %d, less than s3.min_parallel (%d)", s.MaxParallel, s.MinParallel)
	m.when(s.MinRate < 0, "s3.min_rate is %s; it must not be negative", s.MinRate)
	m.when(s.GoneGrace < 0, "s3.gone_grace is %s; it must not be negative", s.GoneGrace)
	m.positive("s3.timeout", s.Timeout)
}

func (c Config) checkStages(m *mistakes) {
	m.when(len(c.Stages) == 0, "stages is empty; it can be photos, albums or both")
	for i, stage := range c.Stages {
		m.oneOf("stages", stage, "photos", "albums")
		m.when(slices.Contains(c.Stages[:i], stage), "stages names %s twice", stage)
	}
	m.atLeast("photos.in_flight", c.Photos.InFlight, 1)
	m.positive("photos.flush_interval", c.Photos.FlushInterval)
	m.atLeast("photos.flush_records", c.Photos.FlushRecords, 1)
	m.atLeast("batch.max_size", c.Batch.MaxSize, 1)
	m.when(c.Batch.MaxDelay < 0, "batch.max_delay is %s; it must not be negative", c.Batch.MaxDelay)
	m.atLeast("batch.runners", c.Batch.Runners, 0)
	cap := c.Bundle.PrecisionCapLevel
	m.oneOf("bundle.precision", c.Bundle.Precision, "auto", "float", "int8")
	m.when(cap < 0 || cap > 30, "bundle.precision_cap_level is %d; it is an S2 level from 1 to 30, or 0 for the bundle's", cap)
}

func (c Config) checkAlbums(m *mistakes) {
	a := c.Albums
	m.oneOf("albums.mode", a.Mode, "", "none", "average", "lstm", "lstm_repeat", "blstm", "hmm")
	m.positive("albums.idle", a.Idle)
	m.when(a.MaxAge < a.Idle, "albums.max_age is %s, less than albums.idle (%s)", a.MaxAge, a.Idle)
	m.atLeast("albums.max_photos", a.MaxPhotos, 1)
	m.when(a.Linger < 0, "albums.linger is %s; it must not be negative", a.Linger)
	m.when(a.MaxReplay <= 0, "albums.max_replay is %s; it must be greater than 0", a.MaxReplay)
	keep := 2 * (a.MaxAge + a.Linger)
	m.when(c.Topics.EmbeddingsRetention < keep,
		"topics.embeddings_retention is %s, but open albums are kept there; it must be at least %s, twice albums.max_age and albums.linger",
		c.Topics.EmbeddingsRetention, keep)
}

func (c Config) checkMemory(m *mistakes) {
	m.when(c.Photos.MaxObjectBytes <= 0, "photos.max_object_bytes is %s; it must be greater than 0", c.Photos.MaxObjectBytes)
	m.when(c.Memory.Budget < c.Photos.MaxObjectBytes,
		"memory.budget is %s, less than one object may take (photos.max_object_bytes is %s)", c.Memory.Budget, c.Photos.MaxObjectBytes)
}
