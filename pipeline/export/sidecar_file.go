package export

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"planetag/pipeline/sidecar"
)

// held is a sidecar as it was read, with what tells whether somebody writes it meanwhile.
type held struct {
	*sidecar.Sidecar
	name string
	info fs.FileInfo // nil: there is none
}

// bytes are those of a file, at most one more than a sidecar may have; none if there is no file.
func (f *folder) bytes(name string) ([]byte, fs.FileInfo, error) {
	info, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%w: it is no regular file", ErrFolder)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, sidecar.MaxBytes+1))
	return data, info, err
}

func (f *folder) read(name string) (held, error) {
	data, info, err := f.bytes(name)
	if err != nil {
		return held{}, err
	}
	if info == nil {
		return held{sidecar.New(), name, nil}, nil
	}
	return understood(name, data, info)
}

func understood(name string, data []byte, info fs.FileInfo) (held, error) {
	s, err := sidecar.Read(data)
	return held{s, name, info}, err
}

// apply makes a sidecar say the estimate, or none. A new one belongs to those whose photo it is.
func (f *folder) apply(old held, e *sidecar.Estimate, photo fs.FileInfo) error {
	had := old.PhotoID() != ""
	data, changed, err := old.Apply(e)
	switch {
	case err != nil:
		return err
	case !changed:
		if had {
			f.report.Unchanged++
		}
		return nil
	case data == nil:
		if err = f.unmoved(old); err == nil {
			err = f.root.Remove(old.name)
		}
	default:
		err = f.write(old, data, photo)
	}
	if err != nil {
		return err
	}
	if e == nil {
		f.report.TakenOut++
	} else {
		f.report.Written++
	}
	return nil
}

// write puts a new file in the place of the old one.
func (f *folder) write(old held, data []byte, photo fs.FileInfo) error {
	if old.info == nil && f.Photos == "" {
		if err := f.root.MkdirAll(path.Dir(old.name), 0o700); err != nil {
			return err
		}
	}
	part := old.name + "." + rand.Text()[:8] + ".part"
	file, err := f.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, settle(file, old.info, photo), file.Close())
	if err == nil {
		err = f.unmoved(old)
	}
	if err == nil {
		err = f.root.Rename(part, old.name)
	}
	if err != nil {
		_ = f.root.Remove(part)
	}
	return err
}

// settle gives a file the mode and the owner of the one that it replaces or, if there is none, of its photo.
func settle(file *os.File, old, photo fs.FileInfo) error {
	like := old
	if like == nil {
		like = photo
	}
	if like == nil {
		return nil
	}
	if is, ok := like.Sys().(*syscall.Stat_t); ok && (int(is.Uid) != os.Geteuid() || int(is.Gid) != os.Getegid()) {
		// Only root gives files away. Whoever else may write beside the photo leaves them his own.
		if err := file.Chown(int(is.Uid), int(is.Gid)); err != nil && os.Geteuid() == 0 {
			return err
		}
	}
	if err := file.Chmod(like.Mode() & 0o666); err != nil || old == nil {
		return err
	}
	return file.Sync() // others wrote in it: nothing of theirs may be lost to a power cut
}

// unmoved tells whether the file is what it was when it was read.
func (f *folder) unmoved(old held) error {
	now, err := f.root.Lstat(old.name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && old.info == nil:
		return nil
	case err != nil:
		return err
	case old.info == nil || !os.SameFile(now, old.info) || now.Size() != old.info.Size() || !now.ModTime().Equal(old.info.ModTime()):
		return fmt.Errorf("%w: somebody writes it at this moment; run it again", ErrFolder)
	}
	return nil
}
