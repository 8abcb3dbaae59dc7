package forge

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrPhotos says that the photos that are shipped with planetag are not where they should be.
var ErrPhotos = errors.New("no photos to forge from")

const jpegFormat = "jpeg"

// photo is a real one.
type photo struct {
	name, format string
	data         []byte
}

// needed are the photos that recipes ask for by name.
func needed() []string {
	return []string{
		"photo.jpg", "progressive.jpg", "cmyk.jpg", "photo.png", "alpha.png", "palette.png", "animated.gif", "photo.webp", "lossy.webp",
		"photo.tif", "photo.heic", "photo.avif", "screenshot.png",
	}
}

// load reads the photos below root by format, in the order of their names.
func load(root string) (map[string][]photo, error) {
	formats := map[string]string{
		".jpg": jpegFormat, ".png": "png", ".gif": "gif", ".webp": "webp", ".tif": "tiff", ".heic": "heic", ".avif": "avif",
	}
	photos, found := map[string][]photo{}, map[string]bool{}
	for _, pattern := range []string{"enrich/decode/testdata/*", "pipeline/demo/photos/*", "pipeline/demo/photos/*/*"} {
		paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPhotos, err)
		}
		slices.Sort(paths)
		for _, path := range paths {
			name := filepath.Base(path)
			format, ok := formats[strings.ToLower(filepath.Ext(name))]
			if !ok || name == "truncated.jpg" { // that one is hostile already
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrPhotos, err)
			}
			found[name] = true
			photos[format] = append(photos[format], photo{name, format, data})
		}
	}
	for _, name := range needed() {
		if !found[name] {
			return nil, fmt.Errorf("%w: %s is not below %s", ErrPhotos, name, root)
		}
	}
	return photos, nil
}
