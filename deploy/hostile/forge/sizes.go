package forge

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
)

// sizes are honest pictures of shapes that no camera has.
func (f *Forge) sizes() []recipe {
	var list []recipe
	for _, side := range [][2]int{{1, 1}, {1, 5000}, {5000, 1}, {15, 15}, {16, 16}, {17, 16}, {16, 256}, {257, 16}, {31, 499}, {3, 3}, {65535, 16}, {2048, 2047}} {
		im := image.NewPaletted(image.Rect(0, 0, side[0], side[1]), color.Palette{color.Black, color.White, color.Transparent})
		for i := range im.Pix {
			im.Pix[i] = byte(i % 3)
		}
		var asPNG, asGIF, asJPEG bytes.Buffer
		_ = png.Encode(&asPNG, im) // buffers take everything, and the encoders these sizes
		_ = gif.Encode(&asGIF, im, nil)
		_ = jpeg.Encode(&asJPEG, im, nil)
		for format, data := range map[string][]byte{"png": asPNG.Bytes(), "gif": asGIF.Bytes(), jpegFormat: asJPEG.Bytes()} {
			list = append(list, recipe{format, "size", fmt.Sprintf("%d-by-%d", side[0], side[1]), fixed(data)})
		}
	}
	return byFormat(list)
}
