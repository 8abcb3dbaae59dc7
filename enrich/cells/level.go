package cells

import "github.com/golang/geo/s2"

// LevelOf is the finest level whose cells are, on average, at least so many metres wide; 0, a sixth of the earth, for more
// than a face of the cube.
func LevelOf(metres float64) int {
	return s2.AvgEdgeMetric.MaxLevel(metres / EarthRadius)
}
