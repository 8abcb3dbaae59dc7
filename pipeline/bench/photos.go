package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	_ "image/gif" // what a folder may hold beside JPEG
	"image/jpeg"
	_ "image/png"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"planetag/pipeline/demo"
)

// PhotoStats are the photos of a run.
type PhotoStats struct {
	Files      int     `json:"files"`
	Bytes      int64   `json:"bytes"`      // of all files
	Megapixels float64 `json:"megapixels"` // mean
	Made       bool    `json:"made"`       // enlarged, with the grain of a camera added
}

// file is a photo on its way into the bucket.
type file struct {
	key  string
	data []byte
}

// readPhotos reads a folder, or the demo's photos when it is empty.
func readPhotos(folder string, megapixels float64) ([]file, PhotoStats, error) {
	files := demo.Shipped()
	if folder != "" {
		files = os.DirFS(folder)
	}
	var photos []file
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".jpg", ".jpeg"}, strings.ToLower(path.Ext(name))) {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		whole, _, damaged := image.Decode(bytes.NewReader(data))
		if damaged == nil && megapixels > 0 {
			data, err = enlarge(whole, megapixels)
		}
		if damaged == nil { // the demo has a damaged photo on purpose; here it would only be in the way
			photos = append(photos, file{strings.ReplaceAll(name, "/", "-"), data})
		}
		return err
	})
	if err != nil {
		return nil, PhotoStats{}, fmt.Errorf("%w: read photos: %w", ErrBench, err)
	}
	if len(photos) == 0 {
		return nil, PhotoStats{}, fmt.Errorf("%w: %s holds no .jpg", ErrBench, folder)
	}
	stats := PhotoStats{Files: len(photos), Made: megapixels > 0}
	for _, p := range photos {
		c, _, err := image.DecodeConfig(bytes.NewReader(p.data))
		if err != nil {
			return nil, PhotoStats{}, fmt.Errorf("%w: %s: %w", ErrBench, p.key, err)
		}
		stats.Bytes += int64(len(p.data))
		stats.Megapixels += float64(c.Width*c.Height) / 1e6 / float64(len(photos))
	}
	return photos, stats, nil
}

// enlarge makes a photo of so many megapixels, baseline JPEG of quality 93, from a smaller one. What the small one does not
// know is made up: detail whose strength grows with its size, as in nature, so that the file is about as heavy as a camera's
// (0.28 bytes a pixel at 1.2 megapixels) and costs about as much to decode.
func enlarge(whole image.Image, megapixels float64) ([]byte, error) {
	from := whole.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, from.Dx(), from.Dy()))
	draw.Draw(small, small.Rect, whole, from.Min, draw.Src)
	scale := math.Sqrt(megapixels * 1e6 / float64(from.Dx()*from.Dy()))
	w, h := int(float64(from.Dx())*scale+0.5), int(float64(from.Dy())*scale+0.5)
	large := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			light := detail(x, y)
			r, g, b := between(small, (float64(x)+0.5)/scale-0.5, (float64(y)+0.5)/scale-0.5)
			at := large.PixOffset(x, y)
			for i, v := range []float64{r, g, b} {
				large.Pix[at+i] = uint8(min(max(v+light, 0), 255))
			}
			large.Pix[at+3] = 255
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, large, &jpeg.Options{Quality: 93})
	return out.Bytes(), err
}

// detail is noise in squares of 1 to 8 pixels, stronger the larger they are, in patches: leaves here, sky there.
func detail(x, y int) (light float64) {
	patch := float64(hash(x/96, y/96, 7)%4) / 2
	for square, strength := 1, 2.5; square <= 8; square, strength = square*2, strength*1.6 {
		light += patch * strength * (float64(hash(x/square, y/square, square)%256)/128 - 1)
	}
	return light
}

// hash mixes three numbers, the same on every machine.
func hash(x, y, z int) uint32 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca6b ^ uint32(z)*0xc2b2ae35
	h = (h ^ h>>15) * 0x2c1b3c6d
	h = (h ^ h>>12) * 0x297a2d39
	return h ^ h>>15
}

// between is the bilinear colour of a point between pixels, 0 to 255.
func between(im *image.RGBA, x, y float64) (r, g, b float64) {
	left, top := int(math.Floor(x)), int(math.Floor(y))
	for _, c := range [4][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		px, py := left+c[0], top+c[1]
		weight := (1 - math.Abs(x-float64(px))) * (1 - math.Abs(y-float64(py)))
		pixel := im.Pix[im.PixOffset(min(max(px, 0), im.Rect.Dx()-1), min(max(py, 0), im.Rect.Dy()-1)):]
		r, g, b = r+weight*float64(pixel[0]), g+weight*float64(pixel[1]), b+weight*float64(pixel[2])
	}
	return r, g, b
}
