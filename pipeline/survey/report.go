package survey

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"planetag/enrich/cells/gazetteer"
)

// Report is what an archive has.
type Report struct {
	Archive    string                  `json:"archive"`
	Photos     int64                   `json:"photos"` // by their names
	Bytes      int64                   `json:"bytes"`
	Unreadable map[string]int64        `json:"unreadable,omitempty"` // by problem
	Skipped    map[string]skippedCount `json:"skipped,omitempty"`    // by kind
	Positioned int64                   `json:"positioned"`           // with a position to believe
	SetAside   map[string]int64        `json:"set_aside,omitempty"`  // positions not to believe, by reason
	Timed      int64                   `json:"timed"`                // with a time to believe
	Clocks     Clocks                  `json:"clocks"`
	Years      []Count                 `json:"years,omitempty"` // by year taken
	Cameras    []Count                 `json:"cameras,omitempty"`
	Countries  []Count                 `json:"countries,omitempty"` // of positions, by ISO 3166-1 code
	Albums     Albums                  `json:"albums"`
	Gain       Gain                    `json:"gain"`
	Requests   int64                   `json:"requests"` // sent to read photos
	BytesRead  int64                   `json:"bytes_read"`
	DryRun     bool                    `json:"dry_run,omitempty"` // Requests and BytesRead are then what reading would take at least
	Out        string                  `json:"out,omitempty"`
}

// Count is some photos and how many of them have a position.
type Count struct {
	Name       string `json:"name"`
	Photos     int64  `json:"photos"`
	Positioned int64  `json:"positioned"`
}

// Clocks are photos whose time cannot be right.
type Clocks struct {
	Future  int64            `json:"future"` // taken after they were stored, or after now
	Unset   int64            `json:"unset"`  // the first day of a clock that nobody set
	Cameras map[string]int64 `json:"cameras,omitempty"`
}

// Albums are the folders of the archive.
type Albums struct {
	Albums int64    `json:"albums"`
	Sizes  []Bucket `json:"sizes"`
	Mixed  int64    `json:"mixed"` // with some positions, but not all
}

// Bucket is how many albums have From to To photos.
type Bucket struct {
	From   int   `json:"from"`
	To     int   `json:"to"` // 0: no end
	Albums int64 `json:"albums"`
}

// stock adds up the photos of an archive.
type stock struct {
	report  Report
	now     time.Time
	names   *gazetteer.Gazetteer
	aside   aside
	years   map[string]*Count
	cameras map[string]*Count
	places  map[string]*Count
	albums  map[string]*album
}

func newStock(o Options, names *gazetteer.Gazetteer, a aside) *stock {
	return &stock{
		report: Report{Archive: o.Archive, Out: o.Out, Unreadable: map[string]int64{}, SetAside: map[string]int64{}, Clocks: Clocks{Cameras: map[string]int64{}}},
		now:    o.Now, names: names, aside: a,
		years: map[string]*Count{}, cameras: map[string]*Count{}, places: map[string]*Count{}, albums: map[string]*album{},
	}
}

// add takes a photo, and returns it without what is not to be believed.
func (s *stock) add(p Photo) (Photo, string) {
	r := &s.report
	r.Photos++
	r.Bytes += p.Size
	r.Requests += int64(p.Requests)
	r.BytesRead += p.Bytes
	if p.Problem != "" {
		r.Unreadable[problemKind(p.Problem)]++
		return p, ""
	}
	reason := s.aside.reason(p)
	if reason != "" {
		r.SetAside[reason]++
		p.Lat, p.Lon = nil, nil
	}
	s.clock(&p)
	if !p.TakenAt.IsZero() {
		r.Timed++
		tally(s.years, p.TakenAt.Format("2006"), p)
	}
	tally(s.cameras, cmp.Or(p.Camera, "unknown"), p)
	if p.Lat != nil {
		r.Positioned++
		code, ok := s.names.CountryNear(*p.Lat, *p.Lon)
		if !ok {
			code = "at sea"
		}
		tally(s.places, code, p)
	}
	a := s.albums[p.Album()]
	if a == nil {
		a = &album{}
		s.albums[p.Album()] = a
	}
	a.add(p)
	return p, reason
}

func tally(counts map[string]*Count, name string, p Photo) {
	c := counts[name]
	if c == nil {
		c = &Count{Name: name}
		counts[name] = c
	}
	c.Photos++
	if p.Lat != nil {
		c.Positioned++
	}
}

// clock takes away a time that cannot be right.
func (s *stock) clock(p *Photo) {
	at, c := p.TakenAt, &s.report.Clocks
	if at.IsZero() {
		return
	}
	// An object may be older than a photo's zone makes it look, by a day at most.
	const day = 24 * time.Hour
	switch {
	case at.After(s.now.Add(day)), !p.Modified.IsZero() && at.After(p.Modified.Add(day)):
		c.Future++
	case at.Month() == time.January && at.Day() == 1 && slices.Contains([]int{1970, 1980, 2000}, at.Year()):
		c.Unset++
	default:
		return
	}
	c.Cameras[cmp.Or(p.Camera, "unknown")]++
	p.TakenAt = time.Time{}
}

// result is the report of all photos that were added.
func (s *stock) result() Report {
	r := s.report
	r.Years, r.Cameras, r.Countries = sorted(s.years), sorted(s.cameras), sorted(s.places)
	slices.SortFunc(r.Years, func(a, b Count) int { return cmp.Compare(a.Name, b.Name) })
	r.Albums.Sizes = []Bucket{{1, 1, 0}, {2, 4, 0}, {5, 19, 0}, {20, 99, 0}, {100, 999, 0}, {1000, 0, 0}}
	for _, a := range s.albums {
		r.Albums.Albums++
		size := len(a.photos)
		for i := range r.Albums.Sizes {
			if b := &r.Albums.Sizes[i]; size >= b.From && (size <= b.To || b.To == 0) {
				b.Albums++
			}
		}
		if a.positioned > 0 && a.positioned < size {
			r.Albums.Mixed++
		}
		a.gain(&r.Gain)
	}
	return r
}

// sorted are counts, the most photos first.
func sorted(counts map[string]*Count) []Count {
	var all []Count
	for _, c := range slices.SortedFunc(maps.Values(counts), func(a, b *Count) int {
		return cmp.Or(cmp.Compare(b.Photos, a.Photos), cmp.Compare(a.Name, b.Name))
	}) {
		all = append(all, *c)
	}
	return all
}
