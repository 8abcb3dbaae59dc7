package eval

import (
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/corona10/goimagehash"
)

// ErrOverlap says that photos of the manifest are in the gallery too: figures over them would be figures over what the
// model was taught.
var ErrOverlap = errors.New("test and gallery overlap")

// duplicate judges two photos with different bytes by how many of the 64 bits of their perceptual hashes differ and by the
// cosine of their embeddings. The hash survives another size and another quality but takes one grey sky for another; the
// embedding survives a crop but takes two views of one tower for one. Each may decide alone only where it is sure.
func duplicate(cosine float64, differ int) bool {
	switch {
	case differ <= 8:
		return cosine >= 0.6
	case differ <= 12:
		return cosine >= 0.85
	}
	return cosine >= 0.96
}

// Duplicate is a photo that the gallery holds too.
type Duplicate struct {
	ID          string  `json:"id"`
	File        string  `json:"file"`
	Line        int     `json:"line"`
	Gallery     string  `json:"gallery"` // id there
	GalleryFile string  `json:"gallery_file"`
	GalleryLine int     `json:"gallery_line"`
	SameBytes   bool    `json:"same_bytes"`
	HashBits    int     `json:"hash_bits"` // in which the 64 of the perceptual hashes differ
	Cosine      float64 `json:"cosine"`    // of the embeddings
}

// duplicates lists the photos that have a twin in the gallery, in the order of the photos.
func duplicates(items, gallery []item, found []match) []Duplicate {
	var list []Duplicate
	for i, m := range found {
		if m.twin < 0 || !m.same && !duplicate(m.cosine, m.bits) {
			continue
		}
		photo, twin := items[i].row, gallery[m.twin].row
		list = append(list, Duplicate{
			ID: photo.ID, File: photo.File, Line: photo.Line, Gallery: twin.ID, GalleryFile: twin.File, GalleryLine: twin.Line,
			SameBytes: m.same, HashBits: m.bits, Cosine: m.cosine,
		})
	}
	return list
}

// overlap is the error for a list of duplicates.
func overlap(list []Duplicate, of int) error {
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d photos are in the gallery too, the first is %s (line %d), there %s (line %d); take them out of one of the manifests, or allow the overlap",
		ErrOverlap, len(list), of, list[0].File, list[0].Line, list[0].GalleryFile, list[0].GalleryLine)
}

// PerceptualHash is the 64-bit DCT hash of decoded pixels, rows of red, green, blue of a square.
func PerceptualHash(pixels []byte) (uint64, error) {
	side := int(math.Sqrt(float64(len(pixels) / 3)))
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		copy(picture.Pix[4*i:], pixels[3*i:3*i+3])
		picture.Pix[4*i+3] = 255
	}
	hash, err := goimagehash.PerceptionHash(picture)
	if err != nil {
		return 0, fmt.Errorf("hash pixels: %w", err)
	}
	return hash.GetHash(), nil
}
