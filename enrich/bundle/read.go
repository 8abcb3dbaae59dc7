package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// ErrBundle says that a directory is not a bundle this version can use. The
// message names the file and what is wrong with it.
var ErrBundle = errors.New("bundle is not usable")

// maxManifest bounds what is read before anything is known to be sane.
const maxManifest = 1 << 20

// Bundle is a directory with a manifest that agrees with itself.
type Bundle struct {
	Dir      string
	SHA256   string // of the bytes of bundle.yaml, which pin all others
	Manifest Manifest
}

// Read reads and checks the manifest of the bundle in dir. It looks at no
// other file; CheckFiles does. Every refusal is ErrBundle.
func Read(dir string) (*Bundle, error) {
	path := filepath.Join(dir, ManifestName)
	text, err := readManifest(path)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%w: read %s:\n%s", ErrBundle, path, yaml.FormatError(err, false, true))
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBundle, path, err)
	}
	sum := sha256.Sum256(text)
	return &Bundle{Dir: dir, SHA256: hex.EncodeToString(sum[:]), Manifest: m}, nil
}

func readManifest(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no %s: give the directory of a bundle", ErrBundle, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxManifest {
		return nil, fmt.Errorf("%w: %s is not a file of at most %d bytes", ErrBundle, path, maxManifest)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return text, nil
}

// Path is where a listed file lies on this machine.
func (b *Bundle) Path(listed string) string {
	return filepath.Join(b.Dir, filepath.FromSlash(listed))
}
