package bundle

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"path/filepath"
	"slices"
)

// The one picture format this version feeds to a network.
const (
	colour = "rgb"
	layout = "nhwc"
	pixel  = "uint8"
	resize = "centre-crop bicubic antialiased"
)

// finestLevel is the level of an S2 leaf cell.
const finestLevel = 30

// check gathers everything that is wrong with the manifest, so that whoever
// wrote it mends it in one go.
func (m *Manifest) check() error {
	if m.Schema != Schema {
		// Nothing else can be judged: the words may mean something else.
		return fmt.Errorf("schema is %d, this version reads schema %d", m.Schema, Schema)
	}
	return errors.Join(
		m.checkIdentity(),
		m.checkFiles(),
		m.Input.check(),
		m.CNN.check(),
		m.Album.check(m.CNN),
		m.checkCells(),
		m.checkCalibration(),
	)
}

func (m *Manifest) checkIdentity() error {
	var errs []error
	for _, f := range []struct{ key, value string }{
		{"name", m.Name}, {"version", m.Version}, {"licence", m.Licence},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", f.key))
		}
	}
	return errors.Join(append(errs, m.checkHead())...)
}

func (m *Manifest) checkFiles() error {
	var errs []error
	listed := map[string]bool{}
	for _, f := range m.Files {
		switch {
		case !local(f.Path):
			errs = append(errs, fmt.Errorf("files: path %q does not stay inside the bundle", f.Path))
		case f.Path == ManifestName:
			errs = append(errs, fmt.Errorf("files: %s cannot list itself", ManifestName))
		case listed[f.Path]:
			errs = append(errs, fmt.Errorf("files: %s is listed twice", f.Path))
		case f.Bytes < 0 || !isSHA256(f.SHA256):
			errs = append(errs, fmt.Errorf("files: %s needs bytes and a sha256 of 64 lower-case hexadecimal digits", f.Path))
		}
		listed[f.Path] = true
	}
	uses := map[string]string{"cnn.file": m.CNN.File, "cells.file": m.Cells.File, "golden": m.Golden}
	maps.Copy(uses, m.Album.files())
	if m.CNN.Int8 != "" {
		uses["cnn.int8"] = m.CNN.Int8
	}
	if m.Album.Diary != "" {
		uses["album.diary"] = m.Album.Diary
	}
	if m.Head == HeadGallery {
		uses["gallery.file"] = m.Gallery.File
	}
	for _, key := range slices.Sorted(maps.Keys(uses)) {
		if !listed[uses[key]] {
			errs = append(errs, fmt.Errorf("%s is %q, which is not among files", key, uses[key]))
		}
	}
	return errors.Join(errs...)
}

// local says whether a listed path is plain: slashes, nothing to clean up, no
// way out. Links are CheckFiles' business.
func local(p string) bool {
	return p != "." && path.Clean(p) == p && filepath.IsLocal(filepath.FromSlash(p)) && !slices.Contains([]byte(p), '\\')
}

func isSHA256(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 64
}

func (in Input) check() error {
	var errs []error
	if in.Size < 16 || in.Size > 4096 {
		errs = append(errs, fmt.Errorf("input.size is %d, want 16 to 4096", in.Size))
	}
	if !(in.Crop > 0 && in.Crop <= 1) {
		errs = append(errs, fmt.Errorf("input.crop is %v, want more than 0 and at most 1", in.Crop))
	}
	for _, f := range []struct{ key, got, want string }{
		{"colour", in.Colour, colour}, {"layout", in.Layout, layout}, {"type", in.Type, pixel}, {"resize", in.Resize, resize},
	} {
		if f.got != f.want {
			errs = append(errs, fmt.Errorf("input.%s is %q, this version feeds %q only", f.key, f.got, f.want))
		}
	}
	return errors.Join(errs...)
}

func (c CNN) check() error {
	var errs []error
	for _, f := range []struct{ key, value string }{
		{"input", c.Input}, {"embedding", c.Embedding}, {"prob", c.Prob}, {"cell", c.Cell},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("cnn.%s is empty", f.key))
		}
	}
	if c.Width < 1 || c.TopK < 1 {
		errs = append(errs, fmt.Errorf("cnn.width is %d and cnn.top_k is %d, want at least 1", c.Width, c.TopK))
	}
	if len(c.Buckets) == 0 || c.Buckets[0] != 1 {
		errs = append(errs, errors.New("cnn.buckets must start at 1, so that one photo can run alone"))
	}
	for i := 1; i < len(c.Buckets); i++ {
		if c.Buckets[i] <= c.Buckets[i-1] {
			errs = append(errs, fmt.Errorf("cnn.buckets are %v, want ascending sizes", c.Buckets))
			break
		}
	}
	return errors.Join(errs...)
}

func (m *Manifest) checkCells() error {
	var errs []error
	k := max(m.Album.TopK, 1)
	if m.Head != HeadGallery {
		k = max(k, m.CNN.TopK)
	}
	if m.Cells.Count < k {
		errs = append(errs, fmt.Errorf("cells.count is %d, fewer than top_k %d", m.Cells.Count, k))
	}
	if m.PrecisionCapLevel < 1 || m.PrecisionCapLevel > finestLevel {
		errs = append(errs, fmt.Errorf("precision_cap_level is %d, want 1 to %d", m.PrecisionCapLevel, finestLevel))
	}
	return errors.Join(errs...)
}

func (m *Manifest) checkCalibration() error {
	var errs []error
	needed := []string{Single}
	for _, mode := range m.Album.Modes {
		if mode != None {
			needed = append(needed, mode)
		}
	}
	if _, told := m.Calibration[Dated]; told {
		needed = append(needed, Dated)
		if m.Album.Diary == "" {
			errs = append(errs, fmt.Errorf("calibration.%s needs album.diary, by which photos are told of their days", Dated))
		}
	}
	for _, key := range needed {
		table, ok := m.Calibration[key]
		if !ok {
			errs = append(errs, fmt.Errorf("calibration.%s is missing: an answer without a measured radius is a guess", key))
			continue
		}
		if err := table.check(); err != nil {
			errs = append(errs, fmt.Errorf("calibration.%s: %w", key, err))
		}
	}
	for key := range m.Calibration {
		if !slices.Contains(needed, key) {
			errs = append(errs, fmt.Errorf("calibration.%s belongs to no mode of this bundle", key))
		}
	}
	return errors.Join(errs...)
}

func (c Calibration) check() error {
	if !(c.Temperature > 0) || math.IsInf(c.Temperature, 0) {
		return fmt.Errorf("temperature is %v, want a positive number", c.Temperature)
	}
	if !(c.AbstainBelow >= 0 && c.AbstainBelow <= 1) {
		return fmt.Errorf("abstain_below is %v, want 0 to 1", c.AbstainBelow)
	}
	if len(c.Radius) == 0 || c.Radius[0].Confidence != 0 {
		return errors.New("radius must start at confidence 0, so that every answer has one")
	}
	for i, r := range c.Radius {
		if !(r.Confidence <= 1) || i > 0 && !(r.Confidence > c.Radius[i-1].Confidence) {
			return fmt.Errorf("radius row %d: confidence %v, want ascending from 0 to 1", i, r.Confidence)
		}
		if !(r.P50 > 0) || !(r.P90 >= r.P50) || math.IsInf(r.P90, 0) {
			return fmt.Errorf("radius row %d: p50_m %v and p90_m %v, want positive metres and p50_m no greater than p90_m", i, r.P50, r.P90)
		}
	}
	if c.Expected != nil {
		if err := c.Expected.check(); err != nil {
			return fmt.Errorf("expected_error: %w", err)
		}
	}
	return nil
}
