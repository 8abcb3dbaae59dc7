package enrich

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"

	"planetag/enrich/bundle"
	"planetag/enrich/infer"
)

// Which of a bundle's networks is used. An int8 network answers nearly the same with less of the processor, if the
// processor has the instructions for it.
const (
	Auto  = "auto"  // the one that measures cheaper here, if the bundle has two
	Float = "float" // cnn.file
	Int8  = "int8"  // cnn.int8
)

const (
	// alike is the least cosine that the two networks' embeddings of a golden photo may have: what is below it is no
	// rounding, but another network.
	alike = 0.9
	// worthIt is the share of the float network's cost below which Auto takes the int8 one: it must pay for what it rounds.
	worthIt = 0.95
)

// choosePrecision comes last, because the golden answers are the float network's. What the two make of the golden photos is
// part of what it found.
func (l *loading) choosePrecision(ctx context.Context) (string, error) {
	file, asked := l.bundle.Manifest.CNN.Int8, l.options.Precision
	l.model.info.Precision = Float
	switch {
	case file == "" && asked == Int8:
		return "", fmt.Errorf("%w: it has no cnn.int8; set bundle.precision to auto or float", bundle.ErrBundle)
	case file == "":
		return "float, the bundle has no other", nil
	case asked == Float:
		return "float, as set", nil
	}
	twin, err := l.openNetwork(file)
	if err != nil {
		return "", err
	}
	agreement, err := l.compareTwin(ctx, twin)
	if err != nil {
		return "", errors.Join(err, twin.Close())
	}
	share := twin.Cost() / l.model.cnn.Cost()
	found := fmt.Sprintf("int8 takes %.0f %% of float's processor time here; %s", 100*share, agreement)
	if asked != Int8 && share > worthIt {
		return "float: " + found, twin.Close()
	}
	float := l.model.cnn
	l.model.cnn, l.model.info.Precision, l.model.info.Placement = twin, Int8, twin.Placement()
	return "int8: " + found, float.Close()
}

// compareTwin shows the golden photos to both networks and says how far they agree.
func (l *loading) compareTwin(ctx context.Context, twin *infer.CNN) (string, error) {
	name := l.bundle.Manifest.Golden
	g, err := readGolden(l.bundle.Path(name))
	if err != nil {
		return "", err
	}
	same, least := 0, 1.0
	for _, photo := range g.Photos {
		pixels, err := l.pixelsOf(ctx, path.Join(path.Dir(name), photo.File))
		if err != nil {
			return "", fmt.Errorf("%s: %w", photo.File, err)
		}
		float, err := l.model.cnn.Run(ctx, [][]byte{pixels})
		if err != nil {
			return "", err
		}
		rounded, err := twin.Run(ctx, [][]byte{pixels})
		if err != nil {
			return "", err
		}
		least = min(least, cosine(float[0].Embedding, rounded[0].Embedding))
		if float[0].Cell[0] == rounded[0].Cell[0] {
			same++
		}
	}
	found := fmt.Sprintf("of %d golden photos %d get the same cell, the least cosine of embeddings is %.4f", len(g.Photos), same, least)
	if !(least >= alike) {
		return "", fmt.Errorf("%w: cnn.int8 is another network: %s, want at least %v", ErrGolden, found, alike)
	}
	return found, nil
}

// pixelsOf decodes a photo of the bundle.
func (l *loading) pixelsOf(ctx context.Context, name string) ([]byte, error) {
	data, err := os.ReadFile(l.bundle.Path(name))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGolden, err)
	}
	pixels := make([]byte, l.model.info.InputBytes)
	if _, err := l.model.Decode(ctx, data, pixels); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGolden, err)
	}
	return pixels, nil
}
