package survey

import (
	"slices"
	"time"
)

// Gain is what the photos without a position could learn from those with one in
// their own album: the position of the nearest photo in time is the best answer
// there is while the time between them is short.
type Gain struct {
	Without     int64 `json:"without_position"`  // readable photos without a position
	InMixed     int64 `json:"in_mixed_albums"`   // of them, in an album with a position
	WithinHour  int64 `json:"within_an_hour"`    // of them, taken within an hour of a photo with a position
	WithinDay   int64 `json:"within_a_day"`      // within a day
	CouldTeach  int64 `json:"could_teach"`       // photos with a position: what a model of the archive's own would learn from
	TeachAlbums int64 `json:"albums_that_teach"` // albums they are in: a split by album needs many
}

// album is one folder.
type album struct {
	photos     []shot
	positioned int
}

// shot is a photo of an album: when, and whether it is known where.
type shot struct {
	at    int64 // Unix seconds, 0: not known
	known bool
}

func (a *album) add(p Photo) {
	s := shot{known: p.Lat != nil}
	if !p.TakenAt.IsZero() {
		s.at = p.TakenAt.Unix()
	}
	if s.known {
		a.positioned++
	}
	a.photos = append(a.photos, s)
}

// gain counts the album's photos.
func (a *album) gain(g *Gain) {
	without := int64(len(a.photos) - a.positioned)
	g.Without += without
	g.CouldTeach += int64(a.positioned)
	if a.positioned == 0 {
		return
	}
	g.TeachAlbums++
	g.InMixed += without
	var known []int64
	for _, s := range a.photos {
		if s.known && s.at != 0 {
			known = append(known, s.at)
		}
	}
	slices.Sort(known)
	for _, s := range a.photos {
		if s.known || s.at == 0 || len(known) == 0 {
			continue
		}
		switch gap := time.Duration(nearest(known, s.at)) * time.Second; {
		case gap <= time.Hour:
			g.WithinHour++
			g.WithinDay++
		case gap <= 24*time.Hour:
			g.WithinDay++
		}
	}
}

// nearest is how far at is from the nearest of some sorted times.
func nearest(times []int64, at int64) int64 {
	i, _ := slices.BinarySearch(times, at)
	least := int64(1 << 62)
	if i < len(times) {
		least = times[i] - at
	}
	if i > 0 {
		least = min(least, at-times[i-1])
	}
	return least
}
