package chart

import (
	"fmt"
	"image/color"
	"io"

	"planetag/enrich/cells"
	"planetag/enrich/cells/gazetteer"
)

// canvas is what a drawing is made on. Coordinates are pixels from the upper
// left corner.
type canvas interface {
	// polygon fills closed rings and draws their outlines; a ring the other way round is a hole.
	polygon(rings [][][2]float64, fill, line color.NRGBA)
	// text writes from a point of the base line to the right.
	text(x, y float64, s string)
	// finish writes the picture.
	finish(w io.Writer) error
}

// margin is the room for the legend below the map, in pixels.
const margin = 36

// SVG writes the map as SVG, width pixels wide.
func SVG(w io.Writer, table *cells.Cells, names *gazetteer.Gazetteer, width int) error {
	return paint(w, newSVG(width, width/2+margin), table, names, width)
}

// PNG writes the map as PNG, width pixels wide.
func PNG(w io.Writer, table *cells.Cells, names *gazetteer.Gazetteer, width int) error {
	return paint(w, newPNG(width, width/2+margin), table, names, width)
}

func paint(w io.Writer, c canvas, table *cells.Cells, names *gazetteer.Gazetteer, width int) error {
	scale := float64(width) / 360
	project := func(ring [][2]float64) [][2]float64 {
		points := make([][2]float64, len(ring))
		for i, p := range ring {
			points[i] = [2]float64{(p[0] + 180) * scale, (90 - p[1]) * scale}
		}
		return points
	}
	var land [][][2]float64
	for _, ring := range names.Land() {
		land = append(land, project(ring))
	}
	c.polygon(land, color.NRGBA{0xe6, 0xe6, 0xe0, 0xff}, color.NRGBA{0xb0, 0xb0, 0xa8, 0xff})
	levels := table.Summary().Levels
	first, last := levels[0].Level, levels[len(levels)-1].Level
	for i := range table.Len() {
		id := table.At(i).ID
		fill := shade(id.Level(), first, last)
		line := fill
		line.A = 0xff
		for _, ring := range cells.Outline(id) {
			c.polygon([][][2]float64{project(ring)}, fill, line)
		}
	}
	legend(c, levels, float64(width)/2+margin-12)
	return c.finish(w)
}

// legend shows the colour of every level and how many cells have it.
func legend(c canvas, levels []cells.LevelCount, y float64) {
	x := 8.0
	for _, l := range levels {
		fill := shade(l.Level, levels[0].Level, levels[len(levels)-1].Level)
		c.polygon([][][2]float64{{{x, y - 9}, {x + 10, y - 9}, {x + 10, y + 1}, {x, y + 1}}}, fill, fill)
		label := fmt.Sprintf("%d: %d", l.Level, l.Cells)
		c.text(x+14, y, label)
		x += 26 + 7*float64(len(label))
	}
}

// shade is the colour of a level, from blue for the coarsest to red for the
// finest by way of yellow, half transparent so that land shows through.
func shade(level, first, last int) color.NRGBA {
	stops := [][3]float64{{0x31, 0x68, 0x8e}, {0x35, 0xb7, 0x79}, {0xfd, 0xc9, 0x25}, {0xd8, 0x33, 0x2c}}
	t := 0.0
	if last > first {
		t = float64(level-first) / float64(last-first) * float64(len(stops)-1)
	}
	i := min(int(t), len(stops)-2)
	mix := func(k int) uint8 { return uint8(stops[i][k] + (t-float64(i))*(stops[i+1][k]-stops[i][k])) }
	return color.NRGBA{mix(0), mix(1), mix(2), 0x90}
}
