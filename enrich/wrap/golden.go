package wrap

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"text/template"

	"planetag/enrich"
	"planetag/enrich/bundle"
)

const goldenName = "golden/golden.json"

// pictures is how many golden pictures a bundle has.
const pictures = 3

// writeGolden writes drawn pictures with the answers of this machine, and the manifest.
func (b *making) writeGolden(ctx context.Context) error {
	g := enrich.Golden{Tolerance: enrich.GoldenTolerance{Prob: 0.02, EmbeddingCosine: 0.999}}
	drawn := make([][]byte, pictures)
	for i := range drawn {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, draw(i), &jpeg.Options{Quality: 92}); err != nil {
			return fmt.Errorf("draw golden picture: %w", err)
		}
		drawn[i] = file.Bytes()
		name := fmt.Sprintf("drawn-%d.jpg", i)
		g.Photos, g.Album.Photos = append(g.Photos, enrich.GoldenPhoto{File: name}), append(g.Album.Photos, name)
		if err := os.WriteFile(b.path("golden/"+name), drawn[i], 0o644); err != nil {
			return fmt.Errorf("write golden picture: %w", err)
		}
	}
	if err := b.pin(g); err != nil { // without answers, so that it can be loaded and asked
		return err
	}
	sights, err := b.ask(ctx, drawn)
	if err != nil {
		return err
	}
	for i, s := range sights {
		const head = 256
		top := s.Top[0]
		g.Photos[i].TopCell, g.Photos[i].TopProb, g.Photos[i].Head = top.Cell, top.P, s.Embedding[:min(head, len(s.Embedding))]
	}
	return b.pin(g)
}

// pin writes golden.json and, last, the manifest that pins every file.
func (b *making) pin(g enrich.Golden) error {
	text, err := json.MarshalIndent(g, "", " ")
	if err == nil {
		err = os.WriteFile(b.path(goldenName), append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write golden answers: %w", err)
	}
	return bundle.Write(b.dir, b.manifest())
}

// ask has the bundle look at photos, as the worker would.
func (b *making) ask(ctx context.Context, photos [][]byte) (sights []enrich.Sight, err error) {
	model, err := enrich.Load(ctx, enrich.Options{Library: b.Library, Bundle: b.dir, SkipGolden: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	var decoded [][]byte
	for _, photo := range photos {
		square := make([]byte, model.Info().InputBytes)
		if _, err := model.Decode(ctx, photo, square); err != nil {
			return nil, err
		}
		decoded = append(decoded, square)
	}
	return model.Embed(ctx, decoded)
}

// draw is a picture of soft waves of colour: nobody's photo, and more than noise to a network.
func draw(n int) image.Image {
	const width, height = 640, 480
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	wave := func(x, y, phase float64) uint8 {
		return uint8(128 + 60*math.Sin(7*x+phase) + 60*math.Cos(5*y-2*phase))
	}
	for y := range height {
		for x := range width {
			u, v, phase := float64(x)/width, float64(y)/height, float64(n)
			picture.Set(x, y, color.RGBA{wave(u, v, phase), wave(v, u, phase+2), wave(u+v, u-v, phase+4), 255})
		}
	}
	return picture
}

//go:embed card.md.tmpl
var cardText string

func (b *making) writeCard(context.Context) error {
	card, err := template.New("card").Parse(cardText)
	if err != nil {
		return fmt.Errorf("write card: %w", err)
	}
	var text bytes.Buffer
	err = card.Execute(&text, map[string]any{
		"Name": b.Name, "Summary": b.Summary, "Classes": b.Wrapped.Classes, "Gallery": b.Gallery, "Cells": b.Cells, "LevelCap": LevelCap, "Licence": b.Licence, "Layer": b.Layer,
	})
	if err == nil {
		err = os.WriteFile(b.path("CARD.md"), text.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write card: %w", err)
	}
	return nil
}
