package decode

import "context"

// Photo is what is known of a photo beside its pixels.
type Photo struct {
	Info Info // as far as the header was read, also beside an error
	Exif Exif
	// ExifErr says why there is no Exif, as ReadExif does; the pixels may still
	// be fine.
	ExifErr error
}

// Photo is ReadExif and Pixels in one call, in this process. It is not
// interrupted: ctx is looked at before it starts. Errors are those of Pixels.
func (d *Decoder) Photo(ctx context.Context, data []byte, g Geometry, dst []byte) (Photo, error) {
	if ctx.Err() != nil {
		return Photo{}, context.Cause(ctx)
	}
	var p Photo
	var err error
	p.Exif, p.ExifErr = ReadExif(data)
	p.Info, err = d.Pixels(data, g, dst)
	return p, err
}

// Close does nothing: libvips lives as long as the process.
func (d *Decoder) Close() error { return nil }
