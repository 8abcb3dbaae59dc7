package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ExifBlockBytes is the block in which ReadExifAt asks for a photo. The EXIF of a
// JPEG begins in the first kilobyte and ends within 64 of them.
const ExifBlockBytes = 64 << 10

// ReadExifAt is ReadExif of a photo that is somewhere else, and reads no more of
// it than it must: the beginning of a JPEG, what the index of a HEIC, AVIF or
// TIFF points at, the chunks of a PNG or WebP without those of the picture. Asks
// of r are in blocks of 64 KiB, each block at most once. Beside the errors of
// ReadExif there are those of r, as they are.
func ReadExifAt(r io.ReaderAt, size int64) (Exif, error) {
	s := &sparse{from: r, size: size, blocks: map[int64][]byte{}}
	head, err := s.head(min(size, ExifBlockBytes))
	if err != nil {
		return Exif{}, err
	}
	f, err := sniff(head)
	if err != nil {
		return Exif{}, err
	}
	tags := exifFields{}
	in, err := s.exif(f)
	if err == nil && in != nil {
		err = tags.walk(f, in)
	}
	if s.failed != nil {
		return Exif{}, s.failed
	}
	if err != nil {
		return Exif{}, &fault{ErrCorrupt, fmt.Sprintf("%s has broken exif: %s", f, printable(err.Error()))}
	}
	return tags.exif(), nil
}

// exif is where the tags of a photo are; nil if it has none.
func (s *sparse) exif(f format) (io.ReadSeeker, error) {
	switch f {
	case formatJPEG:
		return s.inJPEG()
	case formatPNG:
		return s.inChunks(8, 12, "eXIf", func(header []byte) (string, int64) {
			return string(header[4:8]), int64(binary.BigEndian.Uint32(header))
		})
	case formatWebP:
		return s.inChunks(12, 8, "EXIF", func(header []byte) (string, int64) {
			n := int64(binary.LittleEndian.Uint32(header[4:]))
			return string(header[:4]), n + n&1
		})
	case formatTIFF, formatHEIC, formatAVIF:
		return io.NewSectionReader(s, 0, s.size), nil
	}
	return nil, nil // GIF has none
}

// inJPEG reads on until the walk over the markers has seen the first block of
// EXIF whole, or the picture.
func (s *sparse) inJPEG() (io.ReadSeeker, error) {
	for want := int64(ExifBlockBytes); ; {
		data, err := s.head(min(want, s.size))
		if err != nil {
			return nil, err
		}
		blocks, more := blocksInJPEG(data)
		switch whole := int64(len(data)) == s.size; {
		case len(blocks) > 0 && (whole || blocks[0].end <= len(data)):
			return bytes.NewReader(blocks[0].tiff), nil
		case whole || more == 0:
			return nil, nil
		}
		if want = int64(more) + ExifBlockBytes; want > exifBytes {
			return nil, errTooMuch
		}
	}
}

// errTooMuch is about metadata, not about a photo.
var errTooMuch = errors.New("it asks for too much reading")

// inChunks walks chunks from offset at, each with a header of 8 bytes, a body and
// a few bytes of overhead in all, and finds the one called name.
func (s *sparse) inChunks(at, overhead int64, name string, of func(header []byte) (string, int64)) (io.ReadSeeker, error) {
	for at+8 <= s.size {
		header := make([]byte, 8)
		if _, err := s.ReadAt(header, at); err != nil {
			return nil, err
		}
		found, n := of(header)
		if found == name {
			body := make([]byte, min(n, s.size-at-8, exifBytes))
			if _, err := s.ReadAt(body, at+8); err != nil {
				return nil, err
			}
			return bytes.NewReader(withoutLabel(body)), nil
		}
		at += overhead + n
	}
	return nil, nil
}

// sparse is a photo of which only the blocks that somebody asked for are here.
type sparse struct {
	from   io.ReaderAt
	size   int64
	blocks map[int64][]byte // by number
	failed error            // of from
}

// head is the first n bytes.
func (s *sparse) head(n int64) ([]byte, error) {
	data := make([]byte, n)
	if n == 0 {
		return data, nil // sniff says what that is
	}
	if _, err := s.ReadAt(data, 0); err != nil {
		return nil, err
	}
	return data, nil
}

// ReadAt reads the blocks that p touches, in one go those that are missing.
func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	end := min(off+int64(len(p)), s.size)
	if err := s.fill(off/ExifBlockBytes, (end-1)/ExifBlockBytes); err != nil {
		return 0, err
	}
	n := 0
	for n < int(end-off) {
		at := off + int64(n)
		n += copy(p[n:end-off], s.blocks[at/ExifBlockBytes][at%ExifBlockBytes:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// fill fetches the missing blocks between two, ends included, with one read for
// each run of them.
func (s *sparse) fill(first, last int64) error {
	for first <= last {
		if s.blocks[first] != nil {
			first++
			continue
		}
		after := first + 1
		for after <= last && s.blocks[after] == nil {
			after++
		}
		if int64(len(s.blocks))+after-first > exifBytes/ExifBlockBytes {
			return errTooMuch
		}
		data := make([]byte, min(after*ExifBlockBytes, s.size)-first*ExifBlockBytes)
		if n, err := s.from.ReadAt(data, first*ExifBlockBytes); n < len(data) {
			s.failed = err
			return err
		}
		for ; first < after; first++ {
			n := min(ExifBlockBytes, len(data))
			s.blocks[first], data = data[:n:n], data[n:]
		}
	}
	return nil
}
