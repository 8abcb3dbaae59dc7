package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"planetag/enrich/bundle"
)

// nullBundle makes a bundle like the one at path, with a network that looks at nothing and always says the same.
func nullBundle(path, dir string) (string, error) {
	read, err := bundle.Read(path)
	if err != nil {
		return "", err
	}
	m := read.Manifest
	golden := read.Path(m.Golden)
	photo, err := firstPhoto(filepath.Dir(golden))
	if err != nil {
		return "", err
	}
	cells, err := os.ReadFile(read.Path(m.Cells.File))
	if err != nil {
		return "", fmt.Errorf("make null bundle: %w", err)
	}
	probability := float32(1) / float32(m.CNN.TopK+1)
	answers, err := json.Marshal(map[string]any{
		"tolerance": map[string]float64{"prob": 0.1, "embedding_cosine": 0.9},
		"photos": []map[string]any{
			{"file": "photo.jpg", "top_cell": 0, "top_prob": probability, "embedding_head": []float32{1}},
		},
		"album": map[string]any{},
	})
	if err != nil {
		return "", fmt.Errorf("make null bundle: %w", err)
	}
	err = writeFiles(dir, map[string][]byte{
		"cnn.onnx": nullNetwork(m.Input.Size, m.CNN, probability), "cells.parquet": cells, "golden/photo.jpg": photo, "golden/golden.json": answers,
	})
	if err != nil {
		return "", err
	}
	m.Name, m.Head, m.Gallery = m.Name+"-null", bundle.HeadClasses, bundle.Gallery{}
	m.CNN.File, m.CNN.Int8, m.Cells.File, m.Golden = "cnn.onnx", "", "cells.parquet", "golden/golden.json"
	m.Album = bundle.Album{Modes: []string{bundle.None, bundle.Average}, Default: bundle.Average}
	m.Calibration = map[string]bundle.Calibration{
		bundle.Single: m.Calibration[bundle.Single], bundle.Average: m.Calibration[bundle.Single],
	}
	return dir, bundle.Write(dir, m)
}

func writeFiles(dir string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("make null bundle: %w", err)
		}
	}
	return nil
}

func firstPhoto(folder string) ([]byte, error) {
	photos, _ := filepath.Glob(filepath.Join(folder, "*.jpg")) // the pattern is sound
	if len(photos) == 0 {
		return nil, fmt.Errorf("%w: %s holds no golden photo", ErrBench, folder)
	}
	slices.Sort(photos)
	data, err := os.ReadFile(photos[0])
	if err != nil {
		return nil, fmt.Errorf("make null bundle: %w", err)
	}
	return data, nil
}
