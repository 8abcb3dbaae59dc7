package gazetteer

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"

	"gonum.org/v1/gonum/spatial/kdtree"
)

//go:embed data/borders.json.gz data/places.csv.gz
var data embed.FS

// Gazetteer is the data of the package, ready to be asked. It never changes
// after Open, so any number of goroutines may use it.
type Gazetteer struct {
	land    []Ring
	borders borders
	places  *kdtree.Tree
}

// Open unpacks the data, which takes a good half of a second and some 60 MB.
// An error says that the program was built from damaged files.
func Open() (*Gazetteer, error) {
	g := &Gazetteer{}
	text, err := unpack("data/borders.json.gz")
	if err != nil {
		return nil, err
	}
	if g.land, g.borders, err = readBorders(text); err != nil {
		return nil, fmt.Errorf("read borders: %w", err)
	}
	if text, err = unpack("data/places.csv.gz"); err != nil {
		return nil, err
	}
	towns, err := readTowns(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	g.places = kdtree.New(towns, false)
	return g, nil
}

// Land is the outline of all land, coarse enough for a map of the world that is
// cut at ±180°. Rings may hang over the cut; that part is there twice.
func (g *Gazetteer) Land() []Ring { return g.land }

func unpack(name string) ([]byte, error) {
	packed, err := data.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return text, nil
}
