package bench

import (
	"context"
	"fmt"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// page is a metrics page of a worker.
type page map[string]*dto.MetricFamily

func readPage(ctx context.Context, address string) (page, error) {
	response, err := get(ctx, address, "/metrics")
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return families, nil
}

// counter adds up all series of a family.
func (p page) counter(name string) (n float64) {
	for _, m := range p[name].GetMetric() {
		n += m.GetCounter().GetValue()
	}
	return n
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
	count, sum, _ := histogram(p[name], label, value)
	return sum / max(count, 1)
}
