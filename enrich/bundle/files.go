package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// CheckFiles reads the whole directory and holds every file against the
// manifest: each listed file is there, a regular file, of the stated size and
// sum, and there is no other. All deviations are reported together (ErrBundle).
func (b *Bundle) CheckFiles(ctx context.Context) error {
	// A Root never follows a link out of the directory, whatever the manifest
	// or the directory says.
	root, err := os.OpenRoot(b.Dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBundle, err)
	}
	defer root.Close()
	errs := []error{b.findUnlisted(root)}
	for _, f := range b.Manifest.Files {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("check files of bundle: %w", err)
		}
		if err := checkFile(root, f); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.Path(f.Path), err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return nil
}

func (b *Bundle) findUnlisted(root *os.Root) error {
	var errs []error
	err := fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == ManifestName {
			return err
		}
		listed := slices.ContainsFunc(b.Manifest.Files, func(f File) bool { return f.Path == path })
		if !listed {
			errs = append(errs, fmt.Errorf("%s: not listed in %s", b.Path(path), ManifestName))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

func checkFile(root *os.Root, want File) error {
	info, err := root.Lstat(want.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listed in %s but missing", ManifestName)
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("is a %s, want a regular file", info.Mode().Type())
	}
	file, err := root.Open(want.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	digest := sha256.New()
	n, err := io.Copy(digest, file)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if n != want.Bytes {
		return fmt.Errorf("has %d bytes, %s says %d", n, ManifestName, want.Bytes)
	}
	if sum := hex.EncodeToString(digest.Sum(nil)); sum != want.SHA256 {
		return fmt.Errorf("has sha256 %s, %s says %s: the file was changed", sum, ManifestName, want.SHA256)
	}
	return nil
}
