package bundle

import (
	"errors"
	"fmt"
)

// The heads: what the numbers stand for that a network calls most probable.
const (
	HeadClasses = "classes" // rows of the cells file
	HeadGallery = "gallery" // rows of a gallery, which the worker folds into cells
)

// Gallery names the table of places that the network compares a photo with:
// columns lat and lon in degrees, one row for each number it may answer with.
// Only a bundle whose head is gallery has one.
type Gallery struct {
	File  string `yaml:"file"`
	Count int    `yaml:"count"`
}

// Choices is the number of rows among which the network chooses.
func (m *Manifest) Choices() int {
	if m.Head == HeadGallery {
		return m.Gallery.Count
	}
	return m.Cells.Count
}

func (m *Manifest) checkHead() error {
	switch m.Head {
	case HeadClasses:
		if m.Gallery != (Gallery{}) {
			return errors.New("gallery is given, but head is classes: the network answers with one or the other")
		}
	case HeadGallery:
		if m.Gallery.File == "" {
			return errors.New("gallery.file is empty, but head is gallery")
		}
		if m.Gallery.Count < m.CNN.TopK {
			return fmt.Errorf("gallery.count is %d, fewer than cnn.top_k %d", m.Gallery.Count, m.CNN.TopK)
		}
	default:
		return fmt.Errorf("head is %q, want %s or %s", m.Head, HeadClasses, HeadGallery)
	}
	return nil
}
