package eval

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planetag/enrich"
)

// copied is the photo as somebody else may have it: saved again, without a share of its edges.
func copied(t *testing.T, photo image.Image, quality int, cut float64) []byte {
	t.Helper()
	b := photo.Bounds()
	dx, dy := int(float64(b.Dx())*cut), int(float64(b.Dy())*cut)
	part := image.NewRGBA(image.Rect(0, 0, b.Dx()-2*dx, b.Dy()-2*dy))
	draw.Draw(part, part.Bounds(), photo, b.Min.Add(image.Pt(dx, dy)), draw.Src)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, part, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// halved is the photo at half its size, four pixels into one.
func halved(photo image.Image) image.Image {
	b := photo.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			var sum [3]uint32
			for _, at := range []image.Point{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
				red, green, blue, _ := photo.At(b.Min.X+2*x+at.X, b.Min.Y+2*y+at.Y).RGBA()
				sum[0], sum[1], sum[2] = sum[0]+red, sum[1]+green, sum[2]+blue
			}
			small.SetRGBA(x, y, color.RGBA{uint8(sum[0] / 4 >> 8), uint8(sum[1] / 4 >> 8), uint8(sum[2] / 4 >> 8), 255})
		}
	}
	return small
}

// The photos of `planetag demo`, seen by its model: every copy is found, and no two photos are taken for one.
func TestDuplicatesOfRealPhotos(t *testing.T) {
	needLibrary(t)
	ctx := context.Background()
	model, err := enrich.Load(ctx, enrich.Options{Bundle: "../../bundles/demo", SkipGolden: true})
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	files, err := filepath.Glob("../demo/photos/*/*.jpg")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d photos, %v", len(files), err)
	}
	dir := t.TempDir()
	var rows []Row
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		photo, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			continue // a few are there to be refused
		}
		id := strings.TrimSuffix(filepath.Base(name), ".jpg")
		for kind, text := range map[string][]byte{
			"original": data, "coarse": copied(t, photo, 40, 0), "small": copied(t, halved(photo), 85, 0), "cut": copied(t, photo, 85, 0.01),
		} {
			if err := os.WriteFile(filepath.Join(dir, id+"."+kind), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		rows = append(rows, Row{ID: id})
	}
	seen := func(kind string) []item {
		of := make([]Row, len(rows))
		for i, row := range rows {
			of[i] = Row{ID: row.ID, File: row.ID + "." + kind}
		}
		items, _, err := embedder{model: model, dir: dir, hashes: true, progress: func(int, int) {}}.embed(ctx, of)
		if err != nil {
			t.Fatal(err)
		}
		return items
	}
	originals := seen("original")
	for _, kind := range []string{"coarse", "small", "cut"} {
		copies := seen(kind)
		found := duplicates(copies, originals, matches(copies, originals))
		for _, d := range found {
			if d.ID != d.Gallery || d.SameBytes {
				t.Errorf("%s: %s taken for %s: %d bits, cosine %.3f", kind, d.File, d.GalleryFile, d.HashBits, d.Cosine)
			}
		}
		if len(found) < len(rows)*9/10 {
			t.Errorf("%s: %d of %d copies were found", kind, len(found), len(rows))
		}
	}
	for i := range originals {
		others := append(append([]item{}, originals[:i]...), originals[i+1:]...)
		for _, d := range duplicates(originals[i:i+1], others, matches(originals[i:i+1], others)) {
			t.Errorf("%s and %s are two photos: %d bits, cosine %.3f", d.File, d.GalleryFile, d.HashBits, d.Cosine)
		}
	}
}

func TestDuplicate(t *testing.T) {
	for _, row := range []struct {
		story  string
		cosine float64
		bits   int
		want   bool
	}{
		{"another quality", 0.95, 0, true},
		{"a small copy", 0.72, 2, true},
		{"one grey sky and another", 0.3, 4, false},
		{"a little cropped", 0.94, 12, true},
		{"two views of one tower", 0.94, 18, false},
		{"hash fooled, embedding sure", 0.97, 30, true},
		{"half of the bits agree by chance", 0.5, 32, false},
	} {
		if got := duplicate(row.cosine, row.bits); got != row.want {
			t.Errorf("%s: %v", row.story, got)
		}
	}
}
