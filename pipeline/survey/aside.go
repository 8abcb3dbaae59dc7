package survey

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Positions that many albums of many days share to the last digit were not
// measured: a program or a camera without a fix wrote them. A tripod in one
// place makes one album, or many days at a home whose receiver still trembles.
const (
	sharedPhotos = 20
	sharedAlbums = 4
	sharedDays   = 30
)

// The reasons to set a position aside.
const (
	asideNull   = "null island"
	asideShared = "default position"
)

// aside finds positions that are not to be believed.
type aside map[[2]float64]*spot

// spot is a position and who has it.
type spot struct {
	photos      int
	albums      []string // at most sharedAlbums of them
	first, last time.Time
}

func (a aside) see(p Photo) {
	if p.Lat == nil {
		return
	}
	s := a[[2]float64{*p.Lat, *p.Lon}]
	if s == nil {
		s = &spot{}
		a[[2]float64{*p.Lat, *p.Lon}] = s
	}
	s.photos++
	if name := p.Album(); len(s.albums) < sharedAlbums && !slices.Contains(s.albums, name) {
		s.albums = append(s.albums, name)
	}
	if at := p.TakenAt; !at.IsZero() {
		if s.first.IsZero() || at.Before(s.first) {
			s.first = at
		}
		if at.After(s.last) {
			s.last = at
		}
	}
}

// reason is why a photo's position is not to be believed, or empty.
func (a aside) reason(p Photo) string {
	if p.Lat == nil {
		return ""
	}
	if math.Abs(*p.Lat) < 0.01 && math.Abs(*p.Lon) < 0.01 {
		return asideNull
	}
	s := a[[2]float64{*p.Lat, *p.Lon}]
	if s != nil && s.photos >= sharedPhotos && len(s.albums) >= sharedAlbums && s.last.Sub(s.first) >= sharedDays*24*time.Hour {
		return asideShared
	}
	return ""
}

// problemKind is a problem without what is special about one photo.
func problemKind(problem string) string {
	kind, _, _ := strings.Cut(problem, ":")
	return kind
}
