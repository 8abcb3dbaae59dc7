package eval

import (
	"maps"
	"slices"

	"planetag/pipeline/eval/score"
)

// Result is what the command prints. Maps are keyed by mode; shares are 0 to 1.
type Result struct {
	Bundle      string                       `json:"bundle,omitempty"`      // name@version
	Predictions string                       `json:"predictions,omitempty"` // the file, where there is no bundle
	SHA256      string                       `json:"sha256,omitempty"`      // of the bundle
	Precision   string                       `json:"precision,omitempty"`   // of the network that answered: float or int8
	DefaultMode string                       `json:"default_mode"`          // whose answers the worker would publish
	ModeOrder   []string                     `json:"mode_order"`            // of a table: baselines first, an order of chance behind each album mode
	Photos      int                          `json:"photos"`                // rows of the manifest with a position
	Placeless   int                          `json:"placeless,omitempty"`   // further rows, without a position
	N           int                          `json:"n"`                     // photos scored
	Albums      int                          `json:"albums"`                // albums with at least two scored photos
	AlbumPhotos int                          `json:"album_photos"`
	Gallery     int                          `json:"gallery,omitempty"` // gallery photos that could be read
	Split       Parted                       `json:"split"`
	Anchored    *Anchored                    `json:"anchored,omitempty"` // albums of which some positions are known
	Modes       map[string]score.Scores      `json:"modes"`              // every scored photo
	Baselines   map[string]score.Scores      `json:"baselines"`
	InAlbums    map[string]score.Scores      `json:"in_albums"`            // only photos with album mates, modes and baselines: where the album can help
	Calibrated  *score.Calibration           `json:"calibrated,omitempty"` // of the default mode: abstaining, radii
	ByMode      map[string]score.Calibration `json:"calibrated_modes,omitempty"`
	Reliability map[string][]score.Bin       `json:"reliability,omitempty"`
	Risk        map[string]score.Curve       `json:"risk_coverage,omitempty"`
	Continents  map[string]Group             `json:"continents,omitempty"` // by name; of the true position, as are
	Countries   map[string]Group             `json:"countries,omitempty"`  // by ISO 3166-1 code, or "at sea"
	Comparisons []Comparison                 `json:"comparisons,omitempty"`
	Duplicates  []Duplicate                  `json:"duplicates,omitempty"`
	Notes       []string                     `json:"notes,omitempty"` // what somebody should look at
	Unreadable  []Unreadable                 `json:"unreadable"`
	GalleryBad  []Unreadable                 `json:"gallery_unreadable,omitempty"`
	Errors      []Miss                       `json:"errors"` // of the default mode, at most 1000 photos evenly through the manifest
}

// Parted says how the photos were split and what it cost.
type Parted struct {
	By      string    `json:"by"`
	Units   int       `json:"units"`    // over which the intervals draw
	Gallery int       `json:"gallery"`  // photos of the gallery's manifest
	LeftOut []LeftOut `json:"left_out"` // photos whose unit is in the gallery
}

// Miss is one answer beside the truth.
type Miss struct {
	ID         string  `json:"id"`
	Lat        float64 `json:"lat"`
	Lon        float64 `json:"lon"`
	PredLat    float64 `json:"pred_lat"`
	PredLon    float64 `json:"pred_lon"`
	Km         float64 `json:"km"`
	Confidence float64 `json:"confidence"`
}

// mostMisses keeps a report of a million photos readable.
const mostMisses = 1000

// name writes down who is tested.
func (r *Result) name(s *subject) {
	r.SHA256, r.Precision = s.sha256, s.precision
	r.DefaultMode, r.ModeOrder = s.published, s.tableOrder()
	if s.sha256 == "" {
		r.Predictions = s.name
		return
	}
	r.Bundle = s.name
}

// describe fills the result with the figures of a subject.
func (t *task) describe(s *subject) {
	r := &t.result
	r.name(s)
	r.N = len(s.rows)
	units, count := t.Split.units(s.rows)
	r.Split.Units = count
	all := make([]int, len(s.rows))
	for i := range all {
		all[i] = i
	}
	rows := scores(s.order(), s.answers, units, all)
	r.Modes, r.Baselines = pick(rows, s.modes), pick(rows, s.baselines)
	r.InAlbums = s.inAlbums(units, r.countAlbums(albums(s.rows)))
	t.describePlaces(s, units)
	r.describeConfidence(s, units)
	if note := swapped(s); note != "" {
		r.Notes = append(r.Notes, note)
	}
	shown := min(mostMisses, len(s.rows))
	for k := range shown {
		i := k * len(s.rows) / shown
		row, a := s.rows[i], s.answers[s.published][i]
		r.Errors = append(r.Errors, Miss{row.ID, row.Lat, row.Lon, a.lat, a.lon, a.Metres / 1000, a.Confidence})
	}
}

// scores is one row for each of the given answers over some of the photos.
func scores(order []string, answers map[string][]answer, units, photos []int) map[string]score.Scores {
	sample := score.Sample{Units: make([]int, len(photos)), Metres: make([][]float64, len(order))}
	for k, i := range photos {
		sample.Units[k] = units[i]
	}
	for m, mode := range order {
		sample.Metres[m] = make([]float64, len(photos))
		for k, i := range photos {
			sample.Metres[m][k] = answers[mode][i].Metres
		}
	}
	rows := map[string]score.Scores{}
	for m, row := range sample.Scores() {
		rows[order[m]] = row
	}
	return rows
}

// inAlbums is the rows of modes and baselines, and of the album modes in an order of chance.
func (s *subject) inAlbums(units, photos []int) map[string]score.Scores {
	order, answers := s.order(), maps.Clone(s.answers)
	for mode, shuffled := range s.shuffled {
		order = append(order, mode+shuffledRow)
		answers[mode+shuffledRow] = shuffled
	}
	slices.Sort(order) // of a map's; a row does not depend on its neighbours
	return scores(order, answers, units, photos)
}

func pick(rows map[string]score.Scores, modes []string) map[string]score.Scores {
	picked := map[string]score.Scores{}
	for _, mode := range modes {
		picked[mode] = rows[mode]
	}
	return picked
}

// countAlbums returns the photos that have album mates.
func (r *Result) countAlbums(groups [][]int) (mates []int) {
	for _, g := range groups {
		if len(g) > 1 {
			r.Albums++
			mates = append(mates, g...)
		}
	}
	r.AlbumPhotos = len(mates)
	return mates
}

func (r *Result) describeConfidence(s *subject, units []int) {
	if !s.confident {
		return
	}
	r.Risk = map[string]score.Curve{}
	for _, mode := range s.modes {
		r.Risk[mode] = score.RiskCoverage(s.judged(mode))
	}
	if !s.calibrated {
		return
	}
	r.ByMode, r.Reliability = map[string]score.Calibration{}, map[string][]score.Bin{}
	for _, mode := range s.modes {
		judged := s.judged(mode)
		r.ByMode[mode], r.Reliability[mode] = score.Calibrate(judged, units), score.Reliability(judged)
	}
	r.Calibrated = new(r.ByMode[s.published])
}
