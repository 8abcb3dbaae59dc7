package eval

import (
	"planetag/enrich/cells/gazetteer"
	"planetag/pipeline/eval/score"
)

// Group is the photos that were taken in one country or on one continent.
type Group struct {
	Name      string                  `json:"name"`
	N         int                     `json:"n"`
	Modes     map[string]score.Scores `json:"modes"`
	Baselines map[string]score.Scores `json:"baselines"`
}

// nowhere is the group of photos that were taken at sea.
const nowhere = "at sea"

// describePlaces adds the tables by continent and by country of the true position.
func (t *task) describePlaces(s *subject, units []int) {
	g := t.Gazetteer
	if g == nil {
		return
	}
	countries, continents := map[string][]int{}, map[string][]int{}
	for i, row := range s.rows {
		code, ok := g.CountryNear(row.Lat, row.Lon)
		if !ok {
			code = nowhere
		}
		countries[code] = append(countries[code], i)
		continent := gazetteer.Continent(code)
		if continent == "" {
			continent = nowhere
		}
		continents[continent] = append(continents[continent], i)
	}
	t.result.Countries, t.result.Continents = map[string]Group{}, map[string]Group{}
	for code, photos := range countries {
		t.result.Countries[code] = s.group(gazetteer.CountryName(code), units, photos)
	}
	for name, photos := range continents {
		t.result.Continents[name] = s.group(name, units, photos)
	}
}

func (s *subject) group(name string, units, photos []int) Group {
	rows := scores(s.order(), s.answers, units, photos)
	return Group{Name: name, N: len(photos), Modes: pick(rows, s.modes), Baselines: pick(rows, s.baselines)}
}
