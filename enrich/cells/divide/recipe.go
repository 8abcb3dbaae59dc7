package divide

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// Recipe says how a file of cells was made, and what came of it. It is JSON in
// the file's metadata, under planetag.recipe.
type Recipe struct {
	Inputs        []string    `json:"inputs,omitempty"` // base names
	Columns       *Columns    `json:"columns,omitempty"`
	Simulation    *Simulation `json:"simulation,omitempty"`
	Rules         Rules       `json:"rules"`
	Photographers bool        `json:"photographers"` // photos of one photographer at one spot counted once
	Photos        int64       `json:"photos"`
	Counted       int64       `json:"counted"`
	BadRows       int64       `json:"bad_rows"`
	Cells         int         `json:"cells"`
	Dropped       Dropped     `json:"dropped"`
	Oracle        Oracle      `json:"oracle"`
	Names         string      `json:"names"` // where countries, regions and towns come from
}

// Recipe is the recipe of a result, on top of what from says about its source.
func (r Result) Recipe(o Options, from Recipe) Recipe {
	from.Rules, from.Photographers = o.Rules, o.Photographers
	from.Photos, from.Counted, from.BadRows = r.Photos, r.Counted, r.Bad.Rows
	from.Cells, from.Dropped, from.Oracle = len(r.Rows), r.Dropped, r.Oracle
	from.Names = "GeoNames (CC BY 4.0), Natural Earth (public domain), Unicode CLDR"
	return from
}

// ReadRecipe reads the recipe of a file that Write made; false if the file has
// none.
func ReadRecipe(path string) (recipe Recipe, ok bool, err error) {
	t := table{path: path}
	err = t.open(func(file *parquet.File) error {
		var text string
		if text, ok = file.Lookup(recipeKey); !ok {
			return nil
		}
		if err := json.Unmarshal([]byte(text), &recipe); err != nil {
			return fmt.Errorf("%w: its recipe is not one: %w", ErrInput, err)
		}
		return nil
	})
	return recipe, ok, err
}

// reporter adds up what workers have done and tells Options.Progress.
func (o Options) reporter(phase string, total int64) func(int64) {
	if o.Progress == nil {
		return func(int64) {}
	}
	var mu sync.Mutex
	done := int64(0)
	return func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		o.Progress(phase, done, total)
	}
}
