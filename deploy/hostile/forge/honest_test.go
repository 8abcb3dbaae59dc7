package forge

import (
	"os"
	"testing"

	"planetag/enrich/decode"
)

// TestHonestFilesAreHonest decodes what was made by hand without a lie: were it broken, everything made like it would test nothing but its own mistake.
func TestHonestFilesAreHonest(t *testing.T) {
	f := forge(t, 1)
	d, err := decode.New(decode.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	g, seen := decode.Geometry{Size: 32, Crop: 1}, map[string]int{}
	for n := range f.Crafted() {
		file := f.Label(n)
		if file.Mutation != "none" && file.Mutation != "exif" {
			continue
		}
		file = f.File(n)
		seen[file.Format+" "+file.Mutation]++
		if _, err := d.Pixels(file.Data, g, make([]byte, g.Bytes())); err != nil {
			if os.Getenv("PLANETAG_REQUIRE_ALL") != "1" && (file.Format == "heic" || file.Format == "avif") {
				continue // this libvips may have no decoder for it
			}
			t.Errorf("%s: %v", file.Name, err)
		}
	}
	for _, kind := range []string{"heic none", "avif none", "tiff none", "webp none", "webp exif", "jpeg exif", "png exif", "heic exif"} {
		if seen[kind] == 0 {
			t.Errorf("nothing honest of %s", kind)
		}
	}
}
