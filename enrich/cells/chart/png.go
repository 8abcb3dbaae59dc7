package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// bitmap is a canvas of pixels.
type bitmap struct{ image *image.RGBA }

func newPNG(width, height int) *bitmap {
	b := &bitmap{image.NewRGBA(image.Rect(0, 0, width, height))}
	draw.Draw(b.image, b.image.Bounds(), image.White, image.Point{}, draw.Src)
	return b
}

// polygon rasterises no more than the rings' own rectangle: most cells have a
// few pixels of a picture with millions.
func (b *bitmap) polygon(rings [][][2]float64, fill, line color.NRGBA) {
	box := bounds(rings).Intersect(b.image.Bounds())
	if box.Empty() {
		return
	}
	shape := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, ring := range rings {
		path(shape, ring, box)
	}
	shape.Draw(b.image, box, image.NewUniform(fill), image.Point{})
	for _, ring := range rings {
		b.outline(ring, line)
	}
}

// outline draws the ring's edges, each as a thin rectangle.
func (b *bitmap) outline(ring [][2]float64, line color.NRGBA) {
	const half = 0.3
	for i, from := range ring {
		to := ring[(i+1)%len(ring)]
		long := math.Hypot(to[0]-from[0], to[1]-from[1])
		if long == 0 {
			continue
		}
		x, y := half*(to[1]-from[1])/long, half*(from[0]-to[0])/long
		edge := [][2]float64{{from[0] + x, from[1] + y}, {to[0] + x, to[1] + y}, {to[0] - x, to[1] - y}, {from[0] - x, from[1] - y}}
		box := bounds([][][2]float64{edge}).Intersect(b.image.Bounds())
		if box.Empty() {
			continue
		}
		shape := vector.NewRasterizer(box.Dx(), box.Dy())
		path(shape, edge, box)
		shape.Draw(b.image, box, image.NewUniform(line), image.Point{})
	}
}

func path(shape *vector.Rasterizer, ring [][2]float64, box image.Rectangle) {
	for i, p := range ring {
		x, y := float32(p[0]-float64(box.Min.X)), float32(p[1]-float64(box.Min.Y))
		if i == 0 {
			shape.MoveTo(x, y)
		} else {
			shape.LineTo(x, y)
		}
	}
	shape.ClosePath()
}

func bounds(rings [][][2]float64) image.Rectangle {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, ring := range rings {
		for _, p := range ring {
			for k := range 2 {
				low[k], high[k] = min(low[k], p[k]), max(high[k], p[k])
			}
		}
	}
	return image.Rect(int(math.Floor(low[0])), int(math.Floor(low[1])), int(math.Ceil(high[0])), int(math.Ceil(high[1])))
}

func (b *bitmap) text(x, y float64, text string) {
	pen := font.Drawer{Dst: b.image, Src: image.Black, Face: basicfont.Face7x13, Dot: fixed.P(int(x), int(y))}
	pen.DrawString(text)
}

func (b *bitmap) finish(w io.Writer) error {
	if err := png.Encode(w, b.image); err != nil {
		return fmt.Errorf("write PNG: %w", err)
	}
	return nil
}
