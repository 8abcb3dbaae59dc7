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

// readPages reads those of several workers as one.
func readPages(ctx context.Context, addresses []string) (page, error) {
	all := page{}
	for _, address := range addresses {
		p, err := readPage(ctx, address)
		if err != nil {
			return nil, err
		}
		for name, family := range p {
			if all[name] == nil {
				all[name] = &dto.MetricFamily{}
			}
			all[name].Metric = append(all[name].Metric, family.GetMetric()...)
		}
	}
	return all, nil
}

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

// histogram adds up those with a label's value, or all: how many were observed, and their sum.
func histogram(f *dto.MetricFamily, label, value string) (count, sum float64) {
	for _, m := range f.GetMetric() {
		is := label == ""
		for _, l := range m.GetLabel() {
			is = is || l.GetName() == label && l.GetValue() == value
		}
		if is {
			count, sum = count+float64(m.GetHistogram().GetSampleCount()), sum+m.GetHistogram().GetSampleSum()
		}
	}
	return count, sum
}

// mean is that of what a histogram observed, 0 if nothing.
func (p page) mean(name, label, value string) float64 {
	count, sum := histogram(p[name], label, value)
	return sum / max(count, 1)
}
