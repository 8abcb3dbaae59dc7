package pipeline

import (
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"planetag/enrich"
)

// Metrics are the figures of one worker. Names are planetag_<noun>_<unit>; no label ever holds a photo, an album, a
// bucket or a key. It is a consumer.Observer.
type Metrics struct {
	photos       *prometheus.CounterVec
	deadLetters  *prometheus.CounterVec
	skipped      prometheus.Counter
	stage        *prometheus.HistogramVec
	inFlight     prometheus.Gauge
	batch        prometheus.Histogram
	albumsOpen   prometheus.Gauge
	albumsClosed *prometheus.CounterVec
	transactions *prometheus.CounterVec
	transaction  *prometheus.HistogramVec
	lag          *prometheus.GaugeVec
	lost         prometheus.Counter
	progress     *prometheus.GaugeVec
	stuck        *prometheus.CounterVec
	children     *prometheus.CounterVec
	model        *prometheus.GaugeVec
	reloaded     *prometheus.CounterVec
	lags         lags
	reads        *prometheus.GaugeVec
	readFailures *prometheus.CounterVec
	storeSick    prometheus.Gauge
	registerer   prometheus.Registerer
}

// NewMetrics registers the metrics with reg. It panics when they are registered there already, as that is a mistake in
// the program.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{registerer: reg}
	m.ofPhotos()
	m.ofAlbums()
	m.ofKafka()
	m.ofStore()
	m.stuck = counters("watchdog_stuck_total", "Pieces of work that stayed longer than their limit, by kind; each ended a membership.", "what")
	m.children = counters("decode_children_total", "Decoder processes, by what happened to them.", "event")
	m.model = gauges("model_info", "The bundle in use and what it runs on; always 1.", "bundle", "sha256", "library", "provider")
	m.reloaded = counters("reloads_total", "Reloads of configuration and bundle, by result; failed ones changed nothing.", "result")
	build := gauges("build_info", "The program itself; always 1.", "version", "goversion")
	version, goversion := BuildVersion()
	build.WithLabelValues(version, goversion).Set(1)
	reg.MustRegister(
		m.photos, m.deadLetters, m.skipped, m.stage, m.inFlight, m.batch, m.albumsOpen, m.albumsClosed,
		m.transactions, m.transaction, m.lag, m.lost, m.progress, m.stuck, m.children, m.model, m.reloaded, build,
		m.reads, m.readFailures, m.storeSick,
	)
	m.startAtZero()
	return m
}

func (m *Metrics) ofPhotos() {
	m.photos = counters("photos_total", "Locations published, by status; album counts those of the album pass.", "status")
	m.deadLetters = counters("dead_letters_total", "Dead letters published, by the type of error.", "type")
	m.skipped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "planetag_skipped_records_total", Help: "Records of the input topic that led to nothing: input.map has no output for them, or there are no albums to complete.",
	})
	m.stage = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "planetag_stage_seconds", Help: "Time of one step of the walk; infer is per batch, commit per transaction.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 17), // 0.5 ms to 33 s
	}, []string{"stage"})
	m.inFlight = gauge("in_flight", "Photos between fetched and committed.")
	m.batch = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "planetag_batch_size", Help: "Photos per call of the CNN.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64},
	})
}

func (m *Metrics) ofAlbums() {
	m.albumsOpen = gauge("albums_open", "Albums that wait for more photos.")
	m.albumsClosed = counters("albums_closed_total", "Albums answered, by what closed them.", "reason")
}

func (m *Metrics) ofKafka() {
	m.transactions = counters("transactions_total", "Transactions, by stage and result.", "stage", "result")
	m.transaction = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "planetag_transaction_seconds", Help: "Time of one committed transaction.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 15), // 1 ms to 16 s
	}, []string{"stage"})
	m.lag = gauges("lag_records", "Records that a stage has not read, or not answered yet; open albums are answered as far as they can be.",
		"stage", "topic", "partition")
	m.lost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "planetag_lost_records_total", Help: "Records that retention deleted before they were read.",
	})
	m.progress = gauges("last_progress_timestamp_seconds", "When a stage last committed.", "stage")
}

// startAtZero makes every series with a known label exist from the start, so that a rate over the first increase is right
// and an alert on absence means what it says.
func (m *Metrics) startAtZero() {
	for _, status := range []string{StatusEstimated, StatusAbstained, StatusGiven, StatusOptedOut, "album"} {
		m.photos.WithLabelValues(status)
	}
	for _, dead := range deadly() {
		m.deadLetters.WithLabelValues(dead.word)
	}
	for _, step := range []string{"fetch", "decode", "batch", "infer", "place", "commit"} {
		m.stage.WithLabelValues(step)
	}
	for _, reason := range failureReasons() {
		m.readFailures.WithLabelValues(reason.word)
	}
	m.readFailures.WithLabelValues(reasonConnection)
	for _, what := range allWork() {
		m.stuck.WithLabelValues(string(what))
	}
	for _, event := range []string{childStarted, childCrashed, childTooSlow} {
		m.children.WithLabelValues(event)
	}
	for _, result := range []string{reloadDone, reloadSame, reloadFailed} {
		m.reloaded.WithLabelValues(result)
	}
	for _, stage := range []string{"photos", stageBackfill, "albums"} {
		m.transaction.WithLabelValues(stage)
		for _, result := range []string{resultCommitted, resultFailed} {
			m.transactions.WithLabelValues(stage, result)
		}
	}
}

const (
	resultCommitted = "committed"
	resultFailed    = "failed"

	childStarted = "started"
	childCrashed = "crashed"
	childTooSlow = "too_slow"
)

// Photo counts a published location.
func (m *Metrics) Photo(status string) { m.photos.WithLabelValues(status).Inc() }

// DeadLetter counts a published dead letter of an errorType.
func (m *Metrics) DeadLetter(word string) { m.deadLetters.WithLabelValues(word).Inc() }

// Nothing counts a record of the input topic that led to no record.
func (m *Metrics) Nothing() { m.skipped.Inc() }

// Stage times one step: fetch, decode, batch, infer, place or commit.
func (m *Metrics) Stage(stage string, d time.Duration) {
	m.stage.WithLabelValues(stage).Observe(d.Seconds())
}

// Timed begins a step and returns what ends it.
func (m *Metrics) Timed(step string) func() {
	started := time.Now()
	return func() { m.Stage(step, time.Since(started)) }
}

// Batch counts a call of the CNN with n photos.
func (m *Metrics) Batch(n int) { m.batch.Observe(float64(n)) }

// InFlight moves the number of photos in flight.
func (m *Metrics) InFlight(delta int) { m.inFlight.Add(float64(delta)) }

// DecodeChild counts what happened to a decoder process.
func (m *Metrics) DecodeChild(event string) { m.children.WithLabelValues(event).Inc() }

// Stuck counts a piece of work that the watchdog ended.
func (m *Metrics) Stuck(what work) { m.stuck.WithLabelValues(string(what)).Inc() }

// AlbumsOpen moves the number of open albums.
func (m *Metrics) AlbumsOpen(delta int) { m.albumsOpen.Add(float64(delta)) }

// AlbumClosed counts an answered album.
func (m *Metrics) AlbumClosed(reason string) { m.albumsClosed.WithLabelValues(reason).Inc() }

// Model says which bundle is in use.
func (m *Metrics) Model(info enrich.Info) {
	m.model.Reset()
	m.model.WithLabelValues(info.Name+"@"+info.Version, info.SHA256, info.LibraryVersion, info.Placement.Provider).Set(1)
}

// BatchCeiling publishes how many photos of one call the accelerator has room for. It is called once.
func (m *Metrics) BatchCeiling(read func() int) {
	m.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "planetag_batch_ceiling", Help: "Most photos of one call that the accelerator has had room for of late; 0 = room for all.",
	}, func() float64 { return float64(read()) }))
}

// Reload counts a reload.
func (m *Metrics) Reload(result string) { m.reloaded.WithLabelValues(result).Inc() }

// Budget publishes what is used of a budget, and its total. It is called once.
func (m *Metrics) Budget(b *Budget) {
	const name, help = "planetag_budget_bytes", "The byte budget: what is used, and the total."
	for kind, read := range map[string]func() int64{"used": b.Used, "total": b.Total} {
		m.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: name, Help: help, ConstLabels: prometheus.Labels{"kind": kind},
		}, func() float64 { return float64(read()) }))
	}
}

// Transaction is part of consumer.Observer.
func (m *Metrics) Transaction(stage string, _ int, took time.Duration, err error) {
	if err != nil {
		m.transactions.WithLabelValues(stage, resultFailed).Inc()
		return
	}
	m.transactions.WithLabelValues(stage, resultCommitted).Inc()
	m.transaction.WithLabelValues(stage).Observe(took.Seconds())
	m.progress.WithLabelValues(stage).SetToCurrentTime()
}

// DataLost is part of consumer.Observer.
func (m *Metrics) DataLost(_ string, _ int, from, to int64) { m.lost.Add(float64(max(to-from, 0))) }

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: "planetag_" + name, Help: help})
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "planetag_" + name, Help: help}, labels)
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "planetag_" + name, Help: help}, labels)
}

// BuildVersion is the version of the main module and of Go, as the linker recorded them.
func BuildVersion() (version, goversion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", "unknown"
	}
	return info.Main.Version, info.GoVersion
}
