package pipeline

import (
	"time"

	"planetag/pipeline/mapping"
)

// Config is everything that can be set. Every key has the same name in the YAML file and in the environment:
// kafka.client_id is PLANETAG_KAFKA_CLIENT_ID, lists are comma-separated there. deploy/planetag.yaml documents each key
// beside its default.
type Config struct {
	Kafka    KafkaConfig    `yaml:"kafka" envPrefix:"KAFKA_"`
	Topics   TopicsConfig   `yaml:"topics" envPrefix:"TOPICS_"`
	Input    InputConfig    `yaml:"input" envPrefix:"INPUT_"`
	Output   OutputConfig   `yaml:"output" envPrefix:"OUTPUT_"`
	S3       S3Config       `yaml:"s3" envPrefix:"S3_"`
	Bundle   BundleConfig   `yaml:"bundle" envPrefix:"BUNDLE_"`
	Stages   []string       `yaml:"stages" env:"STAGES"`
	Photos   PhotosConfig   `yaml:"photos" envPrefix:"PHOTOS_"`
	Decode   DecodeConfig   `yaml:"decode" envPrefix:"DECODE_"`
	Batch    BatchConfig    `yaml:"batch" envPrefix:"BATCH_"`
	Albums   AlbumsConfig   `yaml:"albums" envPrefix:"ALBUMS_"`
	Index    IndexConfig    `yaml:"index" envPrefix:"INDEX_"`
	Memory   MemoryConfig   `yaml:"memory" envPrefix:"MEMORY_"`
	HTTP     HTTPConfig     `yaml:"http" envPrefix:"HTTP_"`
	Shutdown ShutdownConfig `yaml:"shutdown" envPrefix:"SHUTDOWN_"`
	Watchdog WatchdogConfig `yaml:"watchdog" envPrefix:"WATCHDOG_"`
	Log      LogConfig      `yaml:"log" envPrefix:"LOG_"`

	Accelerator AcceleratorConfig `yaml:"accelerator" envPrefix:"ACCELERATOR_"`
}

// KafkaConfig says how to reach the brokers and as which group to consume.
type KafkaConfig struct {
	Brokers            []string   `yaml:"brokers" env:"BROKERS"`
	ClientID           string     `yaml:"client_id" env:"CLIENT_ID"`
	Group              string     `yaml:"group" env:"GROUP"` // prefix of the consumer groups and of the transactional ids
	Delivery           string     `yaml:"delivery" env:"DELIVERY"`
	SessionTimeout     Duration   `yaml:"session_timeout" env:"SESSION_TIMEOUT"`
	RebalanceTimeout   Duration   `yaml:"rebalance_timeout" env:"REBALANCE_TIMEOUT"`
	TransactionTimeout Duration   `yaml:"transaction_timeout" env:"TRANSACTION_TIMEOUT"`
	OnDataLoss         string     `yaml:"on_data_loss" env:"ON_DATA_LOSS"` // "continue" or "stop"
	TLS                TLSConfig  `yaml:"tls" envPrefix:"TLS_"`
	SASL               SASLConfig `yaml:"sasl" envPrefix:"SASL_"`
}

// TLSConfig is used for the connection to the brokers, and to a search index. Files are PEM.
type TLSConfig struct {
	Enabled    bool   `yaml:"enabled" env:"ENABLED"`
	CAFile     string `yaml:"ca_file" env:"CA_FILE"` // empty = the system's
	CertFile   string `yaml:"cert_file" env:"CERT_FILE"`
	KeyFile    string `yaml:"key_file" env:"KEY_FILE"`
	ServerName string `yaml:"server_name" env:"SERVER_NAME"` // empty = the broker's host name
}

// SASLConfig authenticates at the brokers; an empty Mechanism means not at all.
type SASLConfig struct {
	Mechanism    string `yaml:"mechanism" env:"MECHANISM"`
	Username     string `yaml:"username" env:"USERNAME"`
	Password     Secret `yaml:"password" env:"PASSWORD"`
	PasswordFile string `yaml:"password_file" env:"PASSWORD_FILE"`
}

// TopicsConfig names the topics and says how to make those that are missing.
type TopicsConfig struct {
	Input               string   `yaml:"input" env:"INPUT"`
	Backfill            string   `yaml:"backfill" env:"BACKFILL"` // empty = none; references of an archive, which give way to those of Input
	Embeddings          string   `yaml:"embeddings" env:"EMBEDDINGS"`
	Locations           string   `yaml:"locations" env:"LOCATIONS"`
	DeadLetters         string   `yaml:"dead_letters" env:"DEAD_LETTERS"`
	State               string   `yaml:"state" env:"STATE"` // how far backfills, replays and watches are
	Create              bool     `yaml:"create" env:"CREATE"`
	Partitions          int      `yaml:"partitions" env:"PARTITIONS"`
	Replication         int      `yaml:"replication" env:"REPLICATION"`
	EmbeddingsRetention Duration `yaml:"embeddings_retention" env:"EMBEDDINGS_RETENTION"`
}

// S3Config says how to reach the objects. Without keys and without Anonymous the credentials come from the environment
// (AWS_…, MINIO_…), from ~/.aws or from the instance's role.
type S3Config struct {
	Endpoint      string   `yaml:"endpoint" env:"ENDPOINT"`
	Region        string   `yaml:"region" env:"REGION"`
	AccessKey     string   `yaml:"access_key" env:"ACCESS_KEY"`
	SecretKey     Secret   `yaml:"secret_key" env:"SECRET_KEY"`
	SecretKeyFile string   `yaml:"secret_key_file" env:"SECRET_KEY_FILE"`
	Bucket        string   `yaml:"bucket" env:"BUCKET"` // of references that name none
	Anonymous     bool     `yaml:"anonymous" env:"ANONYMOUS"`
	MinParallel   int      `yaml:"min_parallel" env:"MIN_PARALLEL"`
	MaxParallel   int      `yaml:"max_parallel" env:"MAX_PARALLEL"`
	GoneGrace     Duration `yaml:"gone_grace" env:"GONE_GRACE"`
	Timeout       Duration `yaml:"timeout" env:"TIMEOUT"`   // until an attempt's answer begins, and between two measurements of its rate
	MinRate       Bytes    `yaml:"min_rate" env:"MIN_RATE"` // of a body, a second
}

// BundleConfig says where the model is; empty paths are searched for.
type BundleConfig struct {
	Path              string `yaml:"path" env:"PATH"`
	Library           string `yaml:"library" env:"LIBRARY"`
	PrecisionCapLevel int    `yaml:"precision_cap_level" env:"PRECISION_CAP_LEVEL"` // 0 = the bundle's
	Precision         string `yaml:"precision" env:"PRECISION"`                     // of the network: auto, float or int8
}

// AcceleratorConfig says where the network runs; see infer.Device.
type AcceleratorConfig struct {
	Provider string   `yaml:"provider" env:"PROVIDER"` // auto, cpu, cuda or tensorrt
	Device   int      `yaml:"device" env:"DEVICE"`     // which GPU
	Memory   Bytes    `yaml:"memory" env:"MEMORY"`     // of the GPU; 0 = what it needs
	Cache    string   `yaml:"cache" env:"CACHE"`       // directory of TensorRT's engines
	Options  []string `yaml:"options" env:"OPTIONS"`   // name=value, of the provider
}

// PhotosConfig bounds the stage "photos".
type PhotosConfig struct {
	InFlight       int      `yaml:"in_flight" env:"IN_FLIGHT"` // photos per partition
	FlushInterval  Duration `yaml:"flush_interval" env:"FLUSH_INTERVAL"`
	FlushRecords   int      `yaml:"flush_records" env:"FLUSH_RECORDS"`
	MaxObjectBytes Bytes    `yaml:"max_object_bytes" env:"MAX_OBJECT_BYTES"`
	LiveWeight     int      `yaml:"live_weight" env:"LIVE_WEIGHT"` // live photos for each photo of the backfill topic
}

// BatchConfig says how photos are put together for one call of the CNN.
type BatchConfig struct {
	MaxSize  int      `yaml:"max_size" env:"MAX_SIZE"`
	MaxDelay Duration `yaml:"max_delay" env:"MAX_DELAY"`
	Runners  int      `yaml:"runners" env:"RUNNERS"` // 0 = two on a GPU, else GOMAXPROCS
}

// AlbumsConfig says when an album is closed and how it is answered.
type AlbumsConfig struct {
	Mode      string   `yaml:"mode" env:"MODE"` // empty = the bundle's default
	Idle      Duration `yaml:"idle" env:"IDLE"`
	MaxAge    Duration `yaml:"max_age" env:"MAX_AGE"`
	MaxPhotos int      `yaml:"max_photos" env:"MAX_PHOTOS"`
	Linger    Duration `yaml:"linger" env:"LINGER"`
	MaxReplay Bytes    `yaml:"max_replay" env:"MAX_REPLAY"`
}

// MemoryConfig is the one back-pressure: see Budget.
type MemoryConfig struct {
	Budget Bytes `yaml:"budget" env:"BUDGET"`
}

// HTTPConfig is where metrics, probes and profiles are served; an empty Listen serves nothing.
type HTTPConfig struct {
	Listen      string   `yaml:"listen" env:"LISTEN"`
	AllowRemote bool     `yaml:"allow_remote" env:"ALLOW_REMOTE"`
	Profiles    bool     `yaml:"profiles" env:"PROFILES"`
	StallAfter  Duration `yaml:"stall_after" env:"STALL_AFTER"`
}

// ShutdownConfig bounds the graceful stop.
type ShutdownConfig struct {
	Deadline Duration `yaml:"deadline" env:"DEADLINE"`
}

// WatchdogConfig says how long each kind of work may stay in one place; see Watchdog.
type WatchdogConfig struct {
	Load        Duration `yaml:"load" env:"LOAD"`
	Model       Duration `yaml:"model" env:"MODEL"`
	Decode      Duration `yaml:"decode" env:"DECODE"`
	Fetch       Duration `yaml:"fetch" env:"FETCH"`
	Transaction Duration `yaml:"transaction" env:"TRANSACTION"`
	Album       Duration `yaml:"album" env:"ALBUM"`
	Stage       Duration `yaml:"stage" env:"STAGE"`
}

// LogConfig is read by the command line.
type LogConfig struct {
	Level  string `yaml:"level" env:"LEVEL"`
	Format string `yaml:"format" env:"FORMAT"`
}

// DefaultConfig is what an empty file means: a broker and a store on this machine, the demo bundle, both stages.
func DefaultConfig() Config {
	const second, minute, mebi = Duration(time.Second), Duration(time.Minute), Bytes(1 << 20)
	return Config{
		Kafka: KafkaConfig{
			Brokers: []string{"localhost:9092"}, ClientID: "planetag", Group: "planetag", Delivery: "exactly_once",
			SessionTimeout: 10 * second, RebalanceTimeout: 30 * second, TransactionTimeout: 30 * second,
			OnDataLoss: "continue",
		},
		Topics: TopicsConfig{
			Input: "photos", Backfill: "planetag.backfill", Embeddings: "planetag.embeddings", Locations: "planetag.locations",
			DeadLetters: "planetag.dead-letters", State: "planetag.state", Create: true, Partitions: 6, Replication: 1,
			EmbeddingsRetention: 168 * 60 * minute,
		},
		Input:  InputConfig{Map: mapping.Plain},
		Output: OutputConfig{Map: mapping.Default},
		S3: S3Config{
			Endpoint: "http://localhost:9000", Region: "us-east-1", MinParallel: 2, MaxParallel: 128,
			GoneGrace: 5 * second, Timeout: 30 * second, MinRate: 4 << 10,
		},
		Bundle: BundleConfig{Precision: "auto"},
		Stages: []string{"photos", "albums"},
		Photos: PhotosConfig{
			InFlight: 64, FlushInterval: second / 10, FlushRecords: 500, MaxObjectBytes: 64 * mebi, LiveWeight: 9,
		},
		Decode: defaultDecode(),
		Batch:  BatchConfig{MaxSize: 16, MaxDelay: second / 100},
		Albums: AlbumsConfig{
			Idle: 30 * second, MaxAge: 15 * minute, MaxPhotos: 1000, Linger: 10 * minute, MaxReplay: 256 * mebi,
		},
		Index:    defaultIndex(),
		Memory:   MemoryConfig{Budget: 512 * mebi},
		HTTP:     HTTPConfig{Listen: "127.0.0.1:9600", StallAfter: 5 * minute},
		Shutdown: ShutdownConfig{Deadline: 25 * second},
		Watchdog: WatchdogConfig{
			Load: 10 * minute, Model: 2 * minute, Decode: 2 * minute, Fetch: 2 * minute, Transaction: 2 * minute,
			Album: 5 * minute, Stage: 5 * minute,
		},
		Log:         LogConfig{Level: "info", Format: "auto"},
		Accelerator: AcceleratorConfig{Provider: "auto", Options: []string{}},
	}
}
