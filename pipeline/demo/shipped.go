package demo

import (
	"embed"
	"io/fs"
)

// shipped are the photos of the binary, with their manifest; photos/LICENCES.md says whose they are.
//
//go:embed photos
var shipped embed.FS

// Shipped are the photos of the demo, in a folder for each album.
func Shipped() fs.FS {
	files, err := fs.Sub(shipped, "photos")
	if err != nil {
		panic("internal error: " + err.Error()) // the folder is named above
	}
	return files
}
