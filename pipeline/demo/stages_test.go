package demo

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const page = `# HELP planetag_stage_seconds Time of one step of the walk.
# TYPE planetag_stage_seconds histogram
planetag_stage_seconds_bucket{stage="decode",le="0.001"} 0
planetag_stage_seconds_bucket{stage="decode",le="0.002"} 5
planetag_stage_seconds_bucket{stage="decode",le="0.004"} 10
planetag_stage_seconds_bucket{stage="decode",le="+Inf"} 10
planetag_stage_seconds_sum{stage="decode"} 0.02
planetag_stage_seconds_count{stage="decode"} 10
planetag_stage_seconds_bucket{stage="idle",le="0.001"} 0
planetag_stage_seconds_bucket{stage="idle",le="+Inf"} 0
planetag_model_info{bundle="demo@1.0.0",library="1.30.0",sha256="abc"} 1
planetag_other_total 7
`

func TestReadMetrics(t *testing.T) {
	got, err := readMetrics(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.stages) != 1 {
		t.Errorf("a stage without observations has no time: %v", got.stages)
	}
	// The fifth of ten is the last of the second bucket; the 9.9th is at 98 % of the third.
	if d := got.stages["decode"]; d.Count != 10 || d.P50 != 0.002 || math.Abs(d.P99-0.00396) > 1e-12 {
		t.Errorf("decode: %+v", d)
	}
	if got.model["library"] != "1.30.0" || got.model["bundle"] != "demo@1.0.0" {
		t.Errorf("model: %v", got.model)
	}
	if _, err := readMetrics(strings.NewReader(`planetag_stage_seconds_bucket{stage="x",le="much"} 1` + "\n")); err == nil {
		t.Error("a bucket without a limit was read")
	}
}

func TestQuantileBeyondTheLastBucketIsItsLimit(t *testing.T) {
	if got := quantile(0.99, []sample{{1, 1}, {2, 2}, {math.Inf(1), 100}}); got != 2 {
		t.Errorf("got %g", got)
	}
}

func TestQuantilesGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.IntRange(0, 9), 2, 12).Draw(t, "counts")
		buckets, total := []sample{}, 0.0
		for i, n := range counts {
			total += float64(n)
			buckets = append(buckets, sample{float64(i + 1), total})
		}
		if total == 0 {
			return
		}
		last := 0.0
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
			got := quantile(q, buckets)
			if got < last || got > float64(len(buckets)) {
				t.Fatalf("quantile %g is %g after %g", q, got, last)
			}
			last = got
		}
	})
}
