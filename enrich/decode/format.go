package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
)

// format is one of the formats this package lets C see.
type format string

const (
	formatJPEG format = "jpeg"
	formatPNG  format = "png"
	formatWebP format = "webp"
	formatGIF  format = "gif"
	formatTIFF format = "tiff"
	formatHEIC format = "heic"
	formatAVIF format = "avif"
)

// heavy says whether the codec starts threads of its own and holds the whole
// picture, so that fewer of them may run at a time.
func (f format) heavy() bool { return f == formatHEIC || f == formatAVIF }

// sniff recognises a photo by its first bytes; the name of the object and what
// the store says about its type are hearsay.
func sniff(data []byte) (format, error) {
	if len(data) == 0 {
		return "", &fault{ErrEmpty, "object is 0 bytes"}
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return formatJPEG, nil
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return formatPNG, nil
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return formatGIF, nil
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return formatWebP, nil
	case bytes.HasPrefix(data, []byte("II*\x00")), bytes.HasPrefix(data, []byte("MM\x00*")):
		return sniffTIFF(data)
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return sniffHEIF(data)
	}
	return "", stranger(data)
}

// sniffTIFF tells a TIFF from the RAW formats that begin like one: their first
// picture is a preview, and a preview is not the photo.
func sniffTIFF(data []byte) (format, error) {
	raw := &fault{ErrFormat, "object is a raw camera file, which is not supported: publish its jpeg"}
	if len(data) >= 10 && string(data[8:10]) == "CR" {
		return "", raw
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	if firstIsPreview(data, order) {
		return "", raw
	}
	return formatTIFF, nil
}

// firstIsPreview reads NewSubfileType (TIFF 6.0, tag 254) of the first
// directory; bit 0 means "a reduced version of another picture in this file".
func firstIsPreview(data []byte, order binary.ByteOrder) bool {
	const entry = 12
	if len(data) < 8 {
		return false
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return false
	}
	n := int64(order.Uint16(data[at:]))
	for i := range n {
		e := at + 2 + i*entry
		if e+entry > int64(len(data)) {
			return false
		}
		if order.Uint16(data[e:]) == 254 {
			return order.Uint32(data[e+8:])&1 == 1
		}
	}
	return false
}

// sniffHEIF reads the brands of an ISO media file (ISO/IEC 14496-12, ftyp).
func sniffHEIF(data []byte) (format, error) {
	size := min(int(binary.BigEndian.Uint32(data)), len(data), 256)
	heic := false
	for at := 8; at+4 <= size; at += 4 {
		switch string(data[at : at+4]) {
		case "avif", "avis":
			return formatAVIF, nil
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
			heic = true
		}
	}
	if heic {
		return formatHEIC, nil
	}
	return "", stranger(data)
}

// stranger describes what the object is instead of a photo.
func stranger(data []byte) error {
	const wanted = "not a photo in jpeg, png, webp, gif, tiff, heic or avif"
	kind, _, _ := strings.Cut(http.DetectContentType(data), ";")
	if kind == "application/octet-stream" {
		return &fault{ErrFormat, fmt.Sprintf("object begins with %q and is %s", data[:min(len(data), 8)], wanted)}
	}
	return &fault{ErrFormat, fmt.Sprintf("object is %s, %s", kind, wanted)}
}
