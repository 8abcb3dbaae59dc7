package divide

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// stored is a Row in cells.parquet. The first six columns are what cells.Load
// reads; places and near are JSON, so that the file stays flat.
type stored struct {
	Cell      string  `parquet:"cell"`
	Lat       float64 `parquet:"lat"`
	Lon       float64 `parquet:"lon"`
	Level     int32   `parquet:"level"`
	Photos    int64   `parquet:"photos"`
	Places    string  `parquet:"places"`
	Counted   int64   `parquet:"counted"`
	RadiusP50 float64 `parquet:"radius_p50_m"`
	RadiusP90 float64 `parquet:"radius_p90_m"`
	Near      string  `parquet:"near"`
}

// near is the nearest town of a cell's mean location.
type near struct {
	Name        string `json:"name"`
	Region      string `json:"region"`
	CountryCode string `json:"country_code"`
	Metres      int64  `json:"metres"`
}

// recipeKey is the key of the recipe in the file's metadata.
const recipeKey = "planetag.recipe"

// Write writes rows as cells.parquet, with the recipe in its metadata. The file
// appears whole or not at all. The same rows and recipe give the same bytes.
func Write(path string, rows []Row, recipe Recipe) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write cells: %w", err)
	}
	err = errors.Join(encode(file, rows, recipe), file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write cells: %w", err), os.Remove(file.Name()))
	}
	return nil
}

func encode(w io.Writer, rows []Row, recipe Recipe) error {
	text, err := json.Marshal(recipe)
	if err != nil {
		return fmt.Errorf("encode recipe: %w", err)
	}
	out := parquet.NewGenericWriter[stored](w, parquet.Compression(&parquet.Snappy),
		parquet.KeyValueMetadata(recipeKey, string(text)), parquet.CreatedBy("planetag", "1", "cells"))
	batch := make([]stored, 0, len(rows))
	for _, r := range rows {
		places, err := json.Marshal(r.Places)
		if err != nil {
			return fmt.Errorf("encode places: %w", err)
		}
		town, err := json.Marshal(near{r.Near.Name, r.Near.Region, r.Near.CountryCode, int64(r.NearMetres)})
		if err != nil {
			return fmt.Errorf("encode place: %w", err)
		}
		batch = append(batch, stored{
			r.ID.ToToken(), r.Lat, r.Lon, int32(r.ID.Level()), r.Photos, string(places), r.Counted, r.RadiusP50, r.RadiusP90, string(town),
		})
	}
	if _, err := out.Write(batch); err != nil {
		return fmt.Errorf("encode rows: %w", err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("encode rows: %w", err)
	}
	return nil
}
