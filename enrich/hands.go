package enrich

import "math"

// hands are the photos that belong together, by index and in their order: all of
// them, unless cameras with anchors were in different places at the same time.
// Then the photos of each camera are an album of their own, and those of a camera
// without an anchor have none to listen to: nobody knows whom it was with.
func (e *earth) hands(members []Member) [][]int {
	changes := e.ofPairs(members, func(a, b Member) bool { return a.Camera != b.Camera })
	apart := changes.strays*2 > changes.photos
	var hands [][]int
	of := map[string]int{}
	for i, m := range members {
		camera := ""
		if apart {
			camera = m.Camera
		}
		hand, known := of[camera]
		if !known {
			hand = len(hands)
			of[camera], hands = hand, append(hands, nil)
		}
		hands[hand] = append(hands[hand], i)
	}
	return hands
}

// strangers is for each photo of a camera without any anchor how probable that
// camera was somewhere else all the time, before the photo itself is looked at: the
// looks of its other photos speak together for or against it. For all others it
// is 0: where a camera's own photos have positions, it is each photo that may
// stray.
func (e *earth) strangers(members []Member, around func(i int) ([]float64, []spot)) []float64 {
	const sure = 0.95                     // no number of looks is more so
	anchored := map[string]bool{"": true} // of cameras that nobody knows, nothing follows
	for _, m := range members {
		if m.Anchor != nil {
			anchored[m.Camera] = true
		}
	}
	agree, sums := make([]float64, len(members)), map[string]float64{}
	for i, m := range members {
		if anchored[m.Camera] {
			continue
		}
		if p, spots := around(i); p != nil {
			agree[i] = e.agrees(p, spots, m.Sight.Top)
			sums[m.Camera] += agree[i]
		}
	}
	strange := make([]float64, len(members))
	for i, m := range members {
		if !anchored[m.Camera] {
			// The photos of a scene repeat each other: see bundle.Travel.
			others := e.travel.Evidence * (sums[m.Camera] - agree[i])
			odds := e.travel.Stray / (1 - e.travel.Stray) * math.Exp(-others)
			strange[i] = min(odds/(1+odds), sure)
		}
	}
	return strange
}

// agrees is the logarithm of how much more probable a look at a photo is where the
// photos around it are than anywhere.
func (e *earth) agrees(around []float64, spots []spot, own []Candidate) float64 {
	sum := 0.0
	for i, seen := range e.evidence(own, spots, 1) {
		sum += around[i] * seen
	}
	return math.Log(sum)
}
