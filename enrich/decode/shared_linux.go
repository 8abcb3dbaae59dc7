package decode

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newShared is memory that another process can map by the file. Its length is
// sealed: whoever has the file could otherwise cut it, and end the other at its
// next look into what is gone. Pages are taken when they are first used.
func newShared(bytes int) ([]byte, *os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("planetag-photo", flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("planetag-photo", flags)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("make shared memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "photo")
	if err := unix.Ftruncate(fd, int64(bytes)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make shared memory of %d bytes: %w", bytes, err), file.Close())
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("seal shared memory: %w", err), file.Close())
	}
	memory, err := mapShared(fd, bytes)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return memory, file, nil
}

func mapShared(fd, bytes int) ([]byte, error) {
	memory, err := unix.Mmap(fd, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map shared memory of %d bytes: %w", bytes, err)
	}
	return memory, nil
}
