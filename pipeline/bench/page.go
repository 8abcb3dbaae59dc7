package bench

import (
	"context"
	"fmt"
	"maps"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"planetag/enrich/infer"
)

// page is a metrics page, or what came to it between two.
type page struct {
	families map[string]*dto.MetricFamily
	earlier  map[string]*dto.MetricFamily // to be taken off; may be nil
}

func readPage(ctx context.Context, address string) (page, error) {
	response, err := get(ctx, address, "/metrics")
	if err != nil {
		return page{}, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return page{}, fmt.Errorf("read metrics: %w", err)
	}
	return page{families: families}, nil
}

func (p page) since(earlier page) page { return page{maps.Clone(p.families), earlier.families} }

// counter adds up all series of a family.
func (p page) counter(name string) float64 {
	sum := func(f *dto.MetricFamily) (n float64) {
		for _, m := range f.GetMetric() {
			n += m.GetCounter().GetValue()
		}
		return n
	}
	return sum(p.families[name]) - sum(p.earlier[name])
}

// histogram is the one with a label's value, or the only one: photos, their sum, and the cumulative counts by bucket.
func histogram(f *dto.MetricFamily, label, value string) (count, sum float64, upTo map[float64]float64) {
	for _, m := range f.GetMetric() {
		is := label == ""
		for _, l := range m.GetLabel() {
			is = is || l.GetName() == label && l.GetValue() == value
		}
		if !is {
			continue
		}
		upTo = map[float64]float64{}
		for _, b := range m.GetHistogram().GetBucket() {
			upTo[b.GetUpperBound()] = float64(b.GetCumulativeCount())
		}
		return float64(m.GetHistogram().GetSampleCount()), m.GetHistogram().GetSampleSum(), upTo
	}
	return 0, 0, nil
}

// mean is that of what a histogram observed, 0 if nothing.
func (p page) mean(name, label, value string) float64 {
	count, sum, _ := histogram(p.families[name], label, value)
	before, off, _ := histogram(p.earlier[name], label, value)
	if count == before {
		return 0
	}
	return (sum - off) / (count - before)
}

// padding is the share of rows that the network computed for nothing. Batches of more than 16 photos are not counted one by
// one by the worker, and count as the least that they may have been.
func (p page) padding(buckets []int) float64 {
	_, _, now := histogram(p.families["planetag_batch_size"], "", "")
	_, _, then := histogram(p.earlier["planetag_batch_size"], "", "")
	var photos, padded, below float64
	for size := 1; size <= 16; size++ {
		upTo := now[float64(size)] - then[float64(size)]
		batches := upTo - below
		below = upTo
		photos += batches * float64(size)
		padded += batches * float64(infer.Padding(buckets, size))
	}
	if photos == 0 {
		return 0
	}
	return padded / (photos + padded)
}
