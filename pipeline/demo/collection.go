package demo

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// ErrFolder marks a folder that holds nothing to show.
var ErrFolder = errors.New("read folder")

// manifestName is the optional file of a folder that says where its photos were really taken.
const manifestName = "manifest.csv"

// point is a true position.
type point struct{ lat, lon float64 }

// photo is one file of the collection, which becomes one object and one reference.
type photo struct {
	file    string // path inside the folder
	album   string // "" = none
	takenAt time.Time
	truth   *point // nil = not known
}

// collection is a folder of photos: sub-folders are albums, files beside them are photos without an album.
type collection struct {
	files   fs.FS
	photos  []photo
	skipped int // files that are no photos by their name
}

// folder opens the folder, or the photos inside the binary when it is empty.
func folder(name string) (collection, error) {
	if name == "" {
		files, err := fs.Sub(shipped, "photos")
		if err != nil {
			return collection{}, fmt.Errorf("%w: %w", ErrFolder, err)
		}
		return collect(files, "the shipped photos")
	}
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		if err == nil {
			err = errors.New("not a folder")
		}
		return collection{}, fmt.Errorf("%w %s: %w", ErrFolder, name, err)
	}
	return collect(os.DirFS(name), name)
}

// collect finds the photos, in the order of their paths. Hidden files and folders are left out, as every file manager does.
func collect(files fs.FS, name string) (collection, error) {
	known, err := readManifest(files)
	if err != nil {
		return collection{}, fmt.Errorf("%w %s: %w", ErrFolder, name, err)
	}
	c := collection{files: files}
	err = fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(entry.Name(), ".") && file != ".":
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir() || file == manifestName:
		case !isPhoto(file):
			c.skipped++
		default:
			p, ok := known[file]
			if !ok {
				p = photo{file: file, album: AlbumOf(file)}
			}
			c.photos = append(c.photos, p)
		}
		return nil
	})
	if err != nil {
		return collection{}, fmt.Errorf("%w %s: %w", ErrFolder, name, err)
	}
	if len(c.photos) == 0 {
		return collection{}, fmt.Errorf("%w %s: no photos in it (looked for %s)", ErrFolder, name, strings.Join(extensions(), " "))
	}
	slices.SortFunc(c.photos, func(a, b photo) int { return cmp.Compare(a.file, b.file) })
	return c, nil
}

// albums counts the photos of each album.
func (c collection) albums() map[string]int {
	n := map[string]int{}
	for _, p := range c.photos {
		if p.album != "" {
			n[p.album]++
		}
	}
	return n
}

// AlbumOf is the folder of a file; a file at the top has no album.
func AlbumOf(file string) string {
	if dir := path.Dir(file); dir != "." {
		return dir
	}
	return ""
}

func isPhoto(file string) bool {
	return slices.Contains(extensions(), strings.ToLower(path.Ext(file)))
}

// extensions of the formats that the decoder reads. Only the demo looks at names; the worker looks at bytes.
func extensions() []string {
	return []string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif"}
}
