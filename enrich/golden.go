package enrich

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"

	"planetag/enrich/bundle"
)

// ErrGolden says that a bundle's golden photos do not come out here as they did
// where the bundle was made: another decoder, another runtime or a damaged
// graph would otherwise change every answer in silence.
var ErrGolden = errors.New("golden photos are not reproduced")

// Golden is golden.json: what the maker of the bundle got for a few photos.
type Golden struct {
	Tolerance GoldenTolerance `json:"tolerance"`
	Photos    []GoldenPhoto   `json:"photos"`
	Album     GoldenAlbum     `json:"album"`
}

// GoldenTolerance is how far answers may be from the golden ones.
type GoldenTolerance struct {
	Prob            float64 `json:"prob"`             // within 0 and 0.5
	EmbeddingCosine float64 `json:"embedding_cosine"` // at least, within 0.5 and 1
}

// GoldenAlbum is some of the photos as an album, and the answer of each mode of
// the bundle's for each.
type GoldenAlbum struct {
	Photos     []string      `json:"photos"`
	LSTM       []GoldenClass `json:"lstm,omitempty"`
	LSTMRepeat []GoldenClass `json:"lstm_repeat,omitempty"`
	BLSTM      []GoldenClass `json:"blstm,omitempty"`
}

// GoldenPhoto is one photo and what was seen in it.
type GoldenPhoto struct {
	File    string    `json:"file"` // beside golden.json
	TopCell int       `json:"top_cell"`
	TopProb float64   `json:"top_prob"`
	Head    []float32 `json:"embedding_head"` // the first numbers of the embedding
	// ExpectedError is what training made of the whole list, in metres; absent
	// in bundles that do not calibrate by it.
	ExpectedError *float64 `json:"expected_error_m,omitempty"`
}

// GoldenClass is a most probable class.
type GoldenClass struct {
	Cell int     `json:"cell"`
	Prob float64 `json:"prob"`
}

func (l *loading) reproduceGolden(ctx context.Context) (string, error) {
	name := l.bundle.Manifest.Golden
	g, err := readGolden(l.bundle.Path(name))
	if err != nil {
		return "", err
	}
	var errs []error
	sights := map[string]Sight{}
	for _, photo := range g.Photos {
		sight, err := l.see(ctx, path.Join(path.Dir(name), photo.File))
		if err != nil {
			return "", fmt.Errorf("%s: %w", photo.File, err)
		}
		sights[photo.File] = sight
		if err := errors.Join(g.comparePhoto(photo, sight), g.compareExpected(photo, l.model.placer, sight.Top)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", photo.File, err))
		}
	}
	errs = append(errs, l.compareAlbum(ctx, g, sights))
	if err := errors.Join(errs...); err != nil {
		return "", fmt.Errorf("%w: %w", ErrGolden, err)
	}
	return fmt.Sprintf("%d photos and an album of %d as where the bundle was made", len(g.Photos), len(g.Album.Photos)), nil
}

func readGolden(file string) (*Golden, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGolden, err)
	}
	var g Golden
	if err := json.Unmarshal(text, &g); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrGolden, file, err)
	}
	t := g.Tolerance
	if len(g.Photos) == 0 || !(t.Prob > 0 && t.Prob < 0.5) || !(t.EmbeddingCosine > 0.5 && t.EmbeddingCosine <= 1) {
		return nil, fmt.Errorf("%w: %s needs photos, tolerance.prob within 0 and 0.5 and tolerance.embedding_cosine within 0.5 and 1", ErrGolden, file)
	}
	for _, p := range g.Photos {
		if !filepath.IsLocal(p.File) || len(p.Head) == 0 {
			return nil, fmt.Errorf("%w: %s: photo %q needs a file beside it and an embedding_head", ErrGolden, file, p.File)
		}
	}
	return &g, nil
}

// see takes one photo of the bundle all the way to the network.
func (l *loading) see(ctx context.Context, name string) (Sight, error) {
	pixels, err := l.pixelsOf(ctx, name)
	if err != nil {
		return Sight{}, err
	}
	sights, err := l.model.Embed(ctx, [][]byte{pixels})
	if err != nil {
		return Sight{}, err
	}
	return sights[0], nil
}

func (g *Golden) comparePhoto(want GoldenPhoto, got Sight) error {
	if len(want.Head) > len(got.Embedding) {
		return fmt.Errorf("embedding_head has %d numbers, the embedding %d", len(want.Head), len(got.Embedding))
	}
	if c := cosine(got.Embedding[:len(want.Head)], want.Head); !(c >= g.Tolerance.EmbeddingCosine) {
		return fmt.Errorf("embedding has cosine %.5f with the golden one, want %v", c, g.Tolerance.EmbeddingCosine)
	}
	return g.compareTop(GoldenClass{want.TopCell, want.TopProb}, got.Top)
}

// compareExpected wants the golden expected error. A probability that is off by
// the tolerance may lie as far away as the earth allows.
func (g *Golden) compareExpected(want GoldenPhoto, p *placer, top []Candidate) error {
	if want.ExpectedError == nil {
		return nil
	}
	got, slack := p.expectedError(top), g.Tolerance.Prob*2*anywhere
	if !(math.Abs(got-*want.ExpectedError) <= slack) {
		return fmt.Errorf("expected error is %.0f m, want %.0f give or take %.0f", got, *want.ExpectedError, slack)
	}
	return nil
}

// compareTop wants the golden class at its probability and on top; another may
// be above it by no more than the tolerance.
func (g *Golden) compareTop(want GoldenClass, top []Candidate) error {
	i := slices.IndexFunc(top, func(c Candidate) bool { return c.Cell == want.Cell })
	if i < 0 {
		return fmt.Errorf("cell %d with %.3f is the golden one, here it is not among the %d most probable", want.Cell, want.Prob, len(top))
	}
	if got := top[i].P; !(math.Abs(got-want.Prob) <= g.Tolerance.Prob) || top[0].P-got > g.Tolerance.Prob {
		return fmt.Errorf("cell %d has %.3f, want %.3f; on top is cell %d with %.3f", want.Cell, got, want.Prob, top[0].Cell, top[0].P)
	}
	return nil
}

func (l *loading) compareAlbum(ctx context.Context, g *Golden, sights map[string]Sight) error {
	album := make([]Member, len(g.Album.Photos))
	for i, file := range g.Album.Photos {
		sight, ok := sights[file]
		if !ok {
			return fmt.Errorf("album: %s is not among photos", file)
		}
		album[i] = Member{Sight: sight}
	}
	for _, check := range []struct {
		mode string
		want []GoldenClass
	}{{bundle.LSTM, g.Album.LSTM}, {bundle.LSTMRepeat, g.Album.LSTMRepeat}, {bundle.BLSTM, g.Album.BLSTM}} {
		if !slices.Contains(l.model.info.Modes, check.mode) {
			continue
		}
		if len(album) == 0 || len(check.want) != len(album) {
			return fmt.Errorf("album: %s has %d answers for %d photos", check.mode, len(check.want), len(album))
		}
		readings, err := l.model.Album(ctx, check.mode, album)
		if err != nil {
			return fmt.Errorf("album: %w", err)
		}
		for i, want := range check.want {
			if err := g.compareTop(want, readings[i].Top); err != nil {
				return fmt.Errorf("album: %s: photo %d: %w", check.mode, i+1, err)
			}
		}
	}
	return nil
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	return dot / math.Sqrt(aa*bb)
}
