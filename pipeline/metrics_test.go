package pipeline

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"planetag/enrich"
	"planetag/enrich/infer"
)

// everyMetric is a registry in which everything was counted once.
func everyMetric(t *testing.T) *prometheus.Registry {
	t.Helper()
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.Stage("fetch", time.Millisecond)
	m.Batch(3)
	m.InFlight(2)
	m.AlbumsOpen(1)
	m.AlbumClosed("idle")
	m.Model(enrich.Info{Name: "demo", Version: "1.0.0", SHA256: "ab", LibraryVersion: "1.30.0", Placement: infer.Placement{Provider: "cpu"}})
	b := NewBudget(100)
	b.Grow(40)
	m.Budget(b)
	m.Progress("photos", "photos", 3, 5, 9)
	m.Transaction("photos", 1, time.Second, nil)
	return reg
}

// figure is the value of one series, written like planetag_x{a="b"} with its labels in order.
func figure(t *testing.T, reg *prometheus.Registry, series string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if seriesOf(family.GetName(), metric) == series {
				return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	t.Fatalf("there is no %s", series)
	return 0
}

func seriesOf(name string, metric *dto.Metric) string {
	var labels []string
	for _, l := range metric.GetLabel() {
		labels = append(labels, l.GetName()+`="`+l.GetValue()+`"`)
	}
	if len(labels) == 0 {
		return name
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}

func TestMetricsFollowTheConventions(t *testing.T) {
	reg := everyMetric(t)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint says %v, %v", problems, err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	allowed := regexp.MustCompile(`^(status|type|stage|reason|result|topic|partition|kind|bundle|sha256|library|provider|version|goversion|what|event)$`)
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "planetag_") {
			t.Errorf("%s does not begin with planetag_", family.GetName())
		}
		for _, l := range family.GetMetric()[0].GetLabel() {
			if !allowed.MatchString(l.GetName()) {
				t.Errorf("%s has the label %s, whose values may be without number", family.GetName(), l.GetName())
			}
		}
	}
}

func TestMetricsBeginAtZero(t *testing.T) {
	reg := prometheus.NewRegistry()
	NewMetrics(reg)
	for _, series := range []string{
		`planetag_photos_total{status="estimated"}`, `planetag_photos_total{status="abstained"}`,
		`planetag_photos_total{status="given"}`, `planetag_photos_total{status="opted_out"}`,
		`planetag_dead_letters_total{type="bad_reference"}`, `planetag_dead_letters_total{type="corrupt_photo"}`,
		`planetag_stage_seconds{stage="fetch"}`, `planetag_stage_seconds{stage="infer"}`, `planetag_stage_seconds{stage="commit"}`,
		`planetag_transactions_total{result="committed",stage="albums"}`, `planetag_lost_records_total`, `planetag_in_flight`, `planetag_albums_open`,
	} {
		if got := figure(t, reg, series); got != 0 {
			t.Errorf("%s begins at %g", series, got)
		}
	}
}

func TestMetricsCount(t *testing.T) {
	reg := everyMetric(t)
	for series, want := range map[string]float64{
		`planetag_stage_seconds{stage="fetch"}`:                             1,
		`planetag_batch_size`:                                               1,
		`planetag_in_flight`:                                                2,
		`planetag_albums_open`:                                              1,
		`planetag_albums_closed_total{reason="idle"}`:                       1,
		`planetag_budget_bytes{kind="used"}`:                                40,
		`planetag_budget_bytes{kind="total"}`:                               100,
		`planetag_lag_records{partition="3",stage="photos",topic="photos"}`: 4,
		`planetag_model_info{bundle="demo@1.0.0",library="1.30.0",provider="cpu",sha256="ab"}`: 1,
		`planetag_transactions_total{result="committed",stage="photos"}`:                       1,
		`planetag_transaction_seconds{stage="photos"}`:                                         1,
	} {
		if got := figure(t, reg, series); got != want {
			t.Errorf("%s is %g, want %g", series, got, want)
		}
	}
	if at := figure(t, reg, `planetag_last_progress_timestamp_seconds{stage="photos"}`); time.Since(time.Unix(int64(at), 0)) > time.Minute {
		t.Errorf("the last progress is at %g", at)
	}
}

func TestMetricsForgetAPartitionThatLeft(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.Progress("photos", "photos", 3, 5, 9)
	m.Left("photos", "photos", 3)
	if n, err := testutil.GatherAndCount(reg, "planetag_lag_records"); err != nil || n != 0 {
		t.Errorf("%d lags are left, %v", n, err)
	}
}
