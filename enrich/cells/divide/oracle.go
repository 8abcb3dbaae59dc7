package divide

import "math"

// Oracle is how well the cells could do if the right one were always chosen and
// answered with its mean location.
type Oracle struct {
	MedianKm   float64 `json:"median_km"`
	Within25km float64 `json:"within_25km"` // share of the kept photos
}

// oracleSteps are the steps of the histogram per factor e: half a per cent each.
const oracleSteps = 200

// oracle counts distances.
type oracle struct {
	counts   [3400]int64 // the antipode is in step 3363
	total    int64
	within25 int64
}

func (o *oracle) add(metres float64, photos int64) {
	o.counts[min(int(oracleSteps*math.Log1p(metres)), len(o.counts)-1)] += photos
	o.total += photos
	if metres <= 25e3 {
		o.within25 += photos
	}
}

func (o *oracle) plus(other *oracle) {
	for i, n := range other.counts {
		o.counts[i] += n
	}
	o.total += other.total
	o.within25 += other.within25
}

// result is right to half a per cent of the median.
func (o *oracle) result() Oracle {
	sum := int64(0)
	for i, n := range o.counts {
		if sum += n; 2*sum >= o.total && o.total > 0 {
			return Oracle{
				MedianKm:   math.Expm1((float64(i)+0.5)/oracleSteps) / 1000,
				Within25km: float64(o.within25) / float64(o.total),
			}
		}
	}
	return Oracle{}
}
