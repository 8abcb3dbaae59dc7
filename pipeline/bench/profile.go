package bench

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	pprof "github.com/google/pprof/profile"
)

// The parts of a worker's processor time.
const (
	partGC      = "garbage collection"
	partNetwork = "network"
	partDecode  = "decode"
	partFetch   = "fetch"
	partKafka   = "kafka"
	partPlace   = "place"
	partRest    = "rest"
)

// profile is processor time by part, from samples of the worker's own stacks. C code counts where Go called it.
type profile map[string]float64

func (p profile) share(part string) float64 {
	var all float64
	for _, n := range p {
		all += n
	}
	if all == 0 {
		return 0
	}
	return p[part] / all
}

// takeProfile lets a worker sample itself for so long.
func takeProfile(ctx context.Context, address string, long time.Duration) (profile, error) {
	response, err := get(ctx, address, fmt.Sprintf("/debug/pprof/profile?seconds=%d", int(long.Seconds())))
	if err != nil {
		return nil, fmt.Errorf("profile the worker: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("profile the worker: %s", response.Status)
	}
	read, err := pprof.Parse(response.Body)
	if err != nil {
		return nil, fmt.Errorf("profile the worker: %w", err)
	}
	parts := profile{}
	for _, s := range read.Sample {
		parts[partOf(s)] += float64(s.Value[len(s.Value)-1])
	}
	return parts, nil
}

// partOf names the part that a stack belongs to: the first of the list that any of its functions is in. Goroutines that a
// library keeps for its connections count with the library.
func partOf(s *pprof.Sample) string {
	for _, p := range []struct {
		part  string
		marks []string
	}{
		{partGC, []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart"}},
		{partRest, []string{"runtime/pprof.", "net/http/pprof."}},
		// The last is C code of which the sampler has lost the caller, now and then for a whole call. A worker runs no other than the network's: decoders
		// are processes.
		{partNetwork, []string{"planetag/enrich/infer.", "runtime._ExternalCode"}},
		{partDecode, []string{"planetag/enrich/decode."}},
		{partKafka, []string{"segmentio/kafka-go", "planetag/consumer."}},
		{partFetch, []string{"planetag/pipeline.(*Store)", "minio/minio-go", "net/http."}},
		{partPlace, []string{"planetag/pipeline.", "planetag/enrich."}},
	} {
		for _, location := range s.Location {
			for _, line := range location.Line {
				for _, mark := range p.marks {
					if strings.Contains(line.Function.Name, mark) {
						return p.part
					}
				}
			}
		}
	}
	return partRest
}
