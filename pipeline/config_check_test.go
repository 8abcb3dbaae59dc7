package pipeline

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestValidateNamesTheKeyAndTheRemedy(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"no brokers", func(c *Config) { c.Kafka.Brokers = nil }, "kafka.brokers is empty; name at least one"},
		{"a broker without a port", func(c *Config) { c.Kafka.Brokers = []string{"kafka"} }, `kafka.brokers has "kafka"; write it as host:port`},
		{"no client id", func(c *Config) { c.Kafka.ClientID = "" }, "kafka.client_id is empty"},
		{"no group", func(c *Config) { c.Kafka.Group = "" }, "kafka.group is empty"},
		{"a guarantee that nobody gives", func(c *Config) { c.Kafka.Delivery = "at_most_once" }, "kafka.delivery is \"at_most_once\"; it can be exactly_once, at_least_once"},
		{"a session without time", func(c *Config) { c.Kafka.SessionTimeout = 0 }, "kafka.session_timeout is 0s"},
		{"a transaction that brokers refuse", func(c *Config) { c.Kafka.TransactionTimeout = Duration(time.Hour) }, "kafka.transaction_timeout is 1h"},
		{"half a client certificate", func(c *Config) { c.Kafka.TLS = TLSConfig{Enabled: true, CertFile: "c"} }, "kafka.tls.cert_file and kafka.tls.key_file go together"},
		{"TLS that was forgotten to be enabled", func(c *Config) { c.Kafka.TLS.CAFile = "ca.pem" }, "kafka.tls.enabled is false"},
		{"a mechanism that is not there", func(c *Config) { c.Kafka.SASL = SASLConfig{Mechanism: "gssapi", Username: "u", Password: "p"} }, "kafka.sasl.mechanism is \"gssapi\""},
		{"a mechanism without a user", func(c *Config) { c.Kafka.SASL = SASLConfig{Mechanism: "plain", Password: "p"} }, "kafka.sasl.mechanism is plain; it needs kafka.sasl.username"},
		{"a password without a mechanism", func(c *Config) { c.Kafka.SASL.PasswordFile = "p" }, "kafka.sasl.mechanism is empty"},
		{"two passwords", func(c *Config) {
			c.Kafka.SASL = SASLConfig{Mechanism: "plain", Username: "u", Password: "p", PasswordFile: "p"}
		}, "kafka.sasl.password and kafka.sasl.password_file are both set"},
		{"a topic that cannot be", func(c *Config) { c.Topics.Input = "photos/new" }, "topics.input is \"photos/new\""},
		{"no name for a topic", func(c *Config) { c.Topics.Locations = "" }, "topics.locations is \"\""},
		{"two topics in one", func(c *Config) { c.Topics.DeadLetters = "photos" }, "topics.input and topics.dead_letters are both \"photos\""},
		{"no partitions", func(c *Config) { c.Topics.Partitions = 0 }, "topics.partitions is 0; it must be at least 1"},
		{"no copies", func(c *Config) { c.Topics.Replication = 0 }, "topics.replication is 0"},
		{"albums outlive their topic", func(c *Config) { c.Topics.EmbeddingsRetention = Duration(30 * time.Minute) }, "topics.embeddings_retention is 30m, but open albums are kept there; it must be at least 50m"},
		{"an isolation that is not there", func(c *Config) { c.Decode.Isolation = "thread" }, "decode.isolation is \"thread\"; it can be process, none"},
		{"less than no processes", func(c *Config) { c.Decode.Processes = -1 }, "decode.processes is -1; it must be at least 0"},
		{"photos without time", func(c *Config) { c.Decode.Deadline = 0 }, "decode.deadline is 0s"},
		{"photos without memory", func(c *Config) { c.Decode.Memory = 1 << 20 }, "decode.memory is 1MiB; a process needs at least 64MiB"},
		{"a watchdog before the second try", func(c *Config) { c.Decode.Deadline = Duration(90 * time.Second) }, "watchdog.decode is 2m; a photo is tried twice"},
		{"an endpoint without a scheme", func(c *Config) { c.S3.Endpoint = "localhost:9000" }, "s3.endpoint is \"localhost:9000\"; write it like"},
		{"an endpoint with a bucket", func(c *Config) { c.S3.Endpoint = "http://s3/images" }, "s3.endpoint is"},
		{"no region", func(c *Config) { c.S3.Region = "" }, "s3.region is empty; most stores take us-east-1"},
		{"half a key pair", func(c *Config) { c.S3.AccessKey = "a" }, "s3.access_key and s3.secret_key (or secret_key_file) go together"},
		{"two secrets", func(c *Config) { c.S3.AccessKey, c.S3.SecretKey, c.S3.SecretKeyFile = "a", "s", "f" }, "s3.secret_key and s3.secret_key_file are both set"},
		{"anonymous with a key", func(c *Config) { c.S3.Anonymous, c.S3.AccessKey, c.S3.SecretKey = true, "a", "s" }, "s3.anonymous is true, but keys are set"},
		{"a bucket that cannot be", func(c *Config) { c.S3.Bucket = "my bucket" }, "s3.bucket is \"my bucket\"; it is not a bucket name"},
		{"no connections", func(c *Config) { c.S3.MinParallel = 0 }, "s3.min_parallel is 0"},
		{"less at most than at least", func(c *Config) { c.S3.MaxParallel = 1 }, "s3.max_parallel is 1, less than s3.min_parallel (2)"},
		{"grace before the event", func(c *Config) { c.S3.GoneGrace = -1 }, "s3.gone_grace is -1ns"},
		{"no time to read", func(c *Config) { c.S3.Timeout = 0 }, "s3.timeout is 0s"},
		{"a cap below the ground", func(c *Config) { c.Bundle.PrecisionCapLevel = 31 }, "bundle.precision_cap_level is 31; it is an S2 level"},
		{"nothing to do", func(c *Config) { c.Stages = nil }, "stages is empty"},
		{"a stage that is not there", func(c *Config) { c.Stages = []string{"videos"} }, "stages is \"videos\"; it can be photos, albums"},
		{"a stage twice", func(c *Config) { c.Stages = []string{"photos", "photos"} }, "stages names photos twice"},
		{"no photo in flight", func(c *Config) { c.Photos.InFlight = 0 }, "photos.in_flight is 0"},
		{"no time between commits", func(c *Config) { c.Photos.FlushInterval = 0 }, "photos.flush_interval is 0s"},
		{"no photo in a commit", func(c *Config) { c.Photos.FlushRecords = 0 }, "photos.flush_records is 0"},
		{"objects of no size", func(c *Config) { c.Photos.MaxObjectBytes = 0 }, "photos.max_object_bytes is 0"},
		{"an empty batch", func(c *Config) { c.Batch.MaxSize = 0 }, "batch.max_size is 0"},
		{"a delay before the photo", func(c *Config) { c.Batch.MaxDelay = -1 }, "batch.max_delay is -1ns"},
		{"runners that walk backwards", func(c *Config) { c.Batch.Runners = -1 }, "batch.runners is -1"},
		{"a provider that is not there", func(c *Config) { c.Accelerator.Provider = "rocm" }, "accelerator.provider is \"rocm\"; it can be auto, cpu, cuda, tensorrt"},
		{"a GPU before the first", func(c *Config) { c.Accelerator.Device = -1 }, "accelerator.device is -1"},
		{"an option without a value", func(c *Config) { c.Accelerator.Options = []string{"trt_fp16_enable"} }, "accelerator.options has \"trt_fp16_enable\"; write name=value"},
		{"a mode that is not there", func(c *Config) { c.Albums.Mode = "transformer" }, "albums.mode is \"transformer\"; it can be empty, none"},
		{"an album that is never idle", func(c *Config) { c.Albums.Idle = 0 }, "albums.idle is 0s"},
		{"an album older than idle", func(c *Config) { c.Albums.MaxAge = Duration(time.Second) }, "albums.max_age is 1s, less than albums.idle (30s)"},
		{"an album without photos", func(c *Config) { c.Albums.MaxPhotos = 0 }, "albums.max_photos is 0"},
		{"lingering backwards", func(c *Config) { c.Albums.Linger = -1 }, "albums.linger is -1ns"},
		{"a replay of nothing", func(c *Config) { c.Albums.MaxReplay = 0 }, "albums.max_replay is 0"},
		{"less memory than one object", func(c *Config) { c.Memory.Budget = 1 << 20 }, "memory.budget is 1MiB, less than one object may take (photos.max_object_bytes is 64MiB)"},
		{"batches of nothing", func(c *Config) { c.Index.BatchBytes = 0 }, "index.batch_bytes is 0; it must be at least 1KiB"},
		{"a batch larger than the memory", func(c *Config) { c.Index.BatchBytes = 1 << 30 }, "index.batch_bytes is 1GiB, more than memory.budget"},
		{"a delay that is none", func(c *Config) { c.Index.BatchDelay = 0 }, "index.batch_delay is 0s"},
		{"a square earth", func(c *Config) { c.Index.Shape = "square" }, "index.shape is \"square\"; it can be none, circle, cell"},
		{"no search server", func(c *Config) { c.Index.OpenSearch.Addresses = nil }, "index.opensearch.addresses is empty"},
		{"a search server without a scheme", func(c *Config) { c.Index.OpenSearch.Addresses = []string{"search:9200"} }, "index.opensearch.addresses has an entry that is not a URL"},
		{"a password in an address", func(c *Config) { c.Index.OpenSearch.Addresses = []string{"http://u:p@search"} }, "index.opensearch.addresses holds a user"},
		{"an index that cannot be", func(c *Config) { c.Index.OpenSearch.Index = "Photos" }, "index.opensearch.index is \"Photos\""},
		{"a user without a password", func(c *Config) { c.Index.OpenSearch.Username = "u" }, "index.opensearch.username and a password"},
		{"two ways to be somebody", func(c *Config) {
			c.Index.OpenSearch.Username, c.Index.OpenSearch.Password, c.Index.OpenSearch.APIKey = "u", "p", "k"
		}, "a password and an API key; keep one"},
		{"TLS to a plain address", func(c *Config) { c.Index.OpenSearch.TLS.Enabled = true }, "an address does not begin with https://"},
		{"a database that is none", func(c *Config) { c.Index.PostGIS.URL = "mysql://x" }, "index.postgis.url is not the URL of a database"},
		{"a password in the database's URL", func(c *Config) { c.Index.PostGIS.URL = "postgres://u:p@db/x" }, "index.postgis.url holds a password"},
		{"a table that injects", func(c *Config) { c.Index.PostGIS.Table = "x; DROP TABLE y" }, "index.postgis.table is"},
		{"profiles for everybody", func(c *Config) { c.HTTP.Listen = "0.0.0.0:9600" }, "http.listen 0.0.0.0:9600 can be reached from other machines"},
		{"an address without a port", func(c *Config) { c.HTTP.Listen = "localhost" }, "http.listen is \"localhost\", which is not host:port"},
		{"a stall at once", func(c *Config) { c.HTTP.StallAfter = 0 }, "http.stall_after is 0s"},
		{"no time to stop", func(c *Config) { c.Shutdown.Deadline = 0 }, "shutdown.deadline is 0s"},
		{"a level that is not there", func(c *Config) { c.Log.Level = "trace" }, "log.level is \"trace\""},
		{"a format that is not there", func(c *Config) { c.Log.Format = "xml" }, "log.format is \"xml\""},
	} {
		c := DefaultConfig()
		row.change(&c)
		err := c.Validate()
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v\nwant it to say %q", row.name, err, row.says)
		}
		if n := len(strings.Split(strings.TrimSpace(err.Error()), "\n")) - 1; n > 2 {
			t.Errorf("%s: one mistake makes %d messages:\n%v", row.name, n, err)
		}
	}
}

func TestValidateJoinsAllMistakes(t *testing.T) {
	err := Config{}.Validate()
	if err == nil || Judge(err) != Stop {
		t.Fatalf("an empty configuration is judged %v", err)
	}
	for _, key := range []string{"kafka.brokers", "topics.input", "s3.endpoint", "stages", "photos.in_flight", "albums.idle", "shutdown.deadline", "log.level"} {
		if !strings.Contains(err.Error(), "\n"+key) {
			t.Errorf("no line about %s in:\n%v", key, err)
		}
	}
}

func TestValidateAllows(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no http at all":            func(c *Config) { c.HTTP.Listen = "" },
		"http for all, said aloud":  func(c *Config) { c.HTTP.Listen, c.HTTP.AllowRemote = ":9600", true },
		"http on IPv6's loopback":   func(c *Config) { c.HTTP.Listen = "[::1]:9600" },
		"credentials from the role": func(c *Config) { c.S3.AccessKey, c.S3.SecretKey = "", "" },
		"SCRAM with a file": func(c *Config) {
			c.Kafka.SASL = SASLConfig{Mechanism: "scram-sha-512", Username: "u", PasswordFile: "p"}
		},
		"a trailing slash": func(c *Config) { c.S3.Endpoint = "https://s3.example.org/" },
		"one stage":        func(c *Config) { c.Stages = []string{"albums"} },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
