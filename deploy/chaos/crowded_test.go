package chaos

import (
	"context"
	"fmt"
	"time"
)

// crowdAlbums opens very many albums at once and one very large one, kills a worker while they are open, holds that the worker's memory stays within its
// budget, and closes them all by the producer's word.
func crowdAlbums(ctx context.Context, s *scene, singles int) {
	few := s.queue[:len(s.queue)/30]
	rest := s.atRest(ctx, few)
	for i := range singles {
		s.queue = append(s.queue, s.photo(fmt.Sprintf("single-%06d", i), fmt.Sprintf("alone-%06d", i), i))
	}
	for i := range singles / 10 {
		s.queue = append(s.queue, s.photo(fmt.Sprintf("party-%05d", i), "the party", i))
	}
	s.queue, s.late = append(s.queue, s.late...), nil // nothing comes late where nothing closes
	s.rng.Shuffle(len(s.queue), func(i, j int) { s.queue[i], s.queue[j] = s.queue[j], s.queue[i] })
	all := locations(few) + locations(s.queue)
	open, used := 0, 0
	for begun := time.Now(); (len(s.queue) > 0 || s.ledger.located() < all) && time.Since(begun) < 15*time.Minute; s.pause(ctx, 500*time.Millisecond) {
		if s.feed.buffered() < 5000 {
			s.release(ctx, 5000)
		}
		s.fleet.tend()
		now, bytes := s.openAlbums()
		open, used = max(open, now), max(used, bytes)
		if s.counts["kill -9"] == 0 && now > singles/2 {
			s.fleet.kill9(s.victim())
			s.fleet.start()
			s.counts["kill -9"]++
		}
	}
	if open < singles {
		s.t.Errorf("%d albums were open at once, want %d", open, singles)
	}
	s.counts["album open at once"], s.counts["photo in one album"] = open, singles/10
	s.note("the budget of 256 MiB per worker was used up to %d MiB in both workers together; a worker with nothing in its hands takes %d MiB, the largest took %d MiB",
		used>>20, rest>>20, s.fleet.peak>>20)
	if grown := s.fleet.peak - rest; grown > crowdedBudget {
		s.t.Errorf("a worker grew by %d MiB, its budget is %d MiB", grown>>20, crowdedBudget>>20)
	}
	for album := range membersOf(s.feed.sent) {
		s.queue = append(s.queue, &reference{kind: complete, id: album, value: fmt.Appendf(nil, `{"album_complete": %q}`, album)})
	}
}

// locations counts the references that lead to a location.
func locations(list []*reference) (n int) {
	for _, r := range list {
		if r.kind == good || r.kind == optedOut {
			n++
		}
	}
	return n
}

// located is how many references have a photo-level location.
func (l *ledger) located() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.photos)
}

const crowdedBudget = 256 << 20

// photo is one more good reference.
func (s *scene) photo(id, album string, i int) *reference {
	r := &reference{kind: good, id: id, album: album}
	r.value = r.render([]string{"red.jpg", "green.jpg", "blue.jpg"}[i%3], i)
	return r
}

// atRest is the memory of a worker that has seen a few photos, so that its decoders run, and has nothing to do.
func (s *scene) atRest(ctx context.Context, few []*reference) int64 {
	s.release(ctx, len(few))
	for begun := time.Now(); s.ledger.located() < locations(few) && time.Since(begun) < time.Minute; {
		s.pause(ctx, 100*time.Millisecond)
	}
	s.pause(ctx, 2*time.Second)
	s.fleet.tend()
	return s.fleet.peak
}

// openAlbums sums up what the workers say: albums that wait for more photos, and bytes of their budgets.
func (s *scene) openAlbums() (albums, bytes int) {
	for _, w := range s.fleet.running {
		if f, err := w.scrape(); err == nil {
			albums += int(f.sum("planetag_albums_open"))
			bytes += int(f.sum(`planetag_budget_bytes{kind="used"}`))
		}
	}
	return albums, bytes
}
