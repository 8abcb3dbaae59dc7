package cells

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// scattered is a row that says how far its photos are apart, as `planetag cells
// build` and training write it.
type scattered struct {
	Cell   string  `parquet:"cell"`
	Lat    float64 `parquet:"lat"`
	Lon    float64 `parquet:"lon"`
	Level  int32   `parquet:"level"`
	Photos int64   `parquet:"photos"`
	Radius float64 `parquet:"radius_p50_m"`
	Places string  `parquet:"places"`
}

func TestLoadReadsTheRadiusWhereThereIsOne(t *testing.T) {
	for _, metres := range []float64{0, 812.5, 2e6} {
		c, err := Load(writeParquet(t, scattered{"132f7", 41.9028, 12.4964, 8, 40, metres, ""}))
		if err != nil || c.At(0).RadiusP50 != metres {
			t.Errorf("%v m: got %v, %v", metres, c, err)
		}
	}
	c, err := Load(writeParquet(t, stored{"132f7", 41.9028, 12.4964, 8, 40, ""}))
	if err != nil || c.At(0).RadiusP50 != 0 {
		t.Errorf("a file that does not say: %v, %v", c, err)
	}
}

func TestLoadRefusesARadiusThatIsNone(t *testing.T) {
	for _, metres := range []float64{-1, math.NaN(), math.Inf(1), 3e7} {
		_, err := Load(writeParquet(t, scattered{"132f7", 41.9028, 12.4964, 8, 40, metres, ""}))
		if !errors.Is(err, ErrCells) || !strings.Contains(err.Error(), "row 0 (132f7): radius_p50_m is") {
			t.Errorf("%v m: %v, want ErrCells that names it", metres, err)
		}
	}
	type inWords struct {
		Cell   string  `parquet:"cell"`
		Lat    float64 `parquet:"lat"`
		Lon    float64 `parquet:"lon"`
		Level  int32   `parquet:"level"`
		Photos int64   `parquet:"photos"`
		Radius string  `parquet:"radius_p50_m"`
		Places string  `parquet:"places"`
	}
	_, err := Load(writeParquet(t, inWords{"132f7", 41.9028, 12.4964, 8, 40, "far", ""}))
	if !errors.Is(err, ErrCells) || !strings.Contains(err.Error(), `column "radius_p50_m" is BYTE_ARRAY, want DOUBLE`) {
		t.Errorf("a radius in words: %v", err)
	}
}
