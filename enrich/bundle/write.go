package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// Write makes a bundle of a directory: it pins every file that lies there and
// writes the manifest, which must agree with itself (ErrBundle).
func Write(dir string, m Manifest) error {
	m.Schema, m.Files = Schema, nil
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == ManifestName {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		listed, err := filepath.Rel(dir, path)
		sum := sha256.Sum256(data)
		m.Files = append(m.Files, File{filepath.ToSlash(listed), int64(len(data)), hex.EncodeToString(sum[:])})
		return err
	})
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	if err := m.check(); err != nil {
		return fmt.Errorf("%w: write %s: %w", ErrBundle, dir, err)
	}
	text, err := yaml.Marshal(m)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ManifestName), text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}
