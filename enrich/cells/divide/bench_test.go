package divide

import (
	"context"
	"testing"
)

func BenchmarkBuild(b *testing.B) {
	source := &simulated{Simulation{Points: int64(max(b.N, 1)), JitterKm: 1, Seed: 1}, [][2]float64{{41.9, 12.5}, {40.7, -74}, {-33.9, 151.2}}}
	o := rules(10_000, 1)
	if _, err := Build(context.Background(), source, o); err != nil {
		b.Fatal(err)
	}
}
