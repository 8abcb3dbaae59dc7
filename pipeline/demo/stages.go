package demo

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// StageTime is how long one stage of the walk took, in seconds, estimated from the buckets of planetag_stage_seconds.
type StageTime struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_seconds"`
	P99   float64 `json:"p99_seconds"`
}

// stageOrder is the order of the walk; stages the worker adds later follow in the order of their names.
func stageOrder() []string { return []string{"fetch", "decode", "batch", "infer", "place", "commit"} }

// sample is one bucket of a histogram: how many observations were at most le.
type sample struct{ le, count float64 }

// scrape is what the demo reads from the worker's own metrics page.
type scrape struct {
	stages map[string]StageTime
	model  map[string]string // labels of planetag_model_info
}

// readMetrics reads the Prometheus text format, only the two families that the demo shows.
func readMetrics(r io.Reader) (scrape, error) {
	labels := regexp.MustCompile(`([a-z_0-9]+)="((?:[^"\\]|\\.)*)"`)
	out := scrape{stages: map[string]StageTime{}, model: map[string]string{}}
	buckets := map[string][]sample{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		isBucket := strings.HasPrefix(line, "planetag_stage_seconds_bucket{")
		if !isBucket && !strings.HasPrefix(line, "planetag_model_info{") {
			continue
		}
		found := map[string]string{}
		for _, m := range labels.FindAllStringSubmatch(line, -1) {
			found[m[1]] = m[2]
		}
		if !isBucket {
			out.model = found
			continue
		}
		le, errLe := strconv.ParseFloat(found["le"], 64)
		count, errCount := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if errLe != nil || errCount != nil {
			return scrape{}, fmt.Errorf("read metrics: line %q", line)
		}
		buckets[found["stage"]] = append(buckets[found["stage"]], sample{le, count})
	}
	for stage, b := range buckets {
		if total := b[len(b)-1].count; total > 0 {
			out.stages[stage] = StageTime{Count: int(total), P50: quantile(0.5, b), P99: quantile(0.99, b)}
		}
	}
	return out, lines.Err()
}

// quantile estimates the q-quantile from cumulative buckets in rising order, with the linear interpolation of Prometheus'
// histogram_quantile; beyond the last finite bucket it is that bucket's limit.
func quantile(q float64, buckets []sample) float64 {
	rank := q * buckets[len(buckets)-1].count
	lower, below := 0.0, 0.0
	for _, b := range buckets {
		if b.count >= rank {
			if math.IsInf(b.le, 1) {
				return lower
			}
			return lower + (b.le-lower)*(rank-below)/max(b.count-below, 1)
		}
		lower, below = b.le, b.count
	}
	return lower
}
