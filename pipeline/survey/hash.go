package survey

import (
	"context"
	"fmt"
	"io"
	"time"

	"planetag/enrich/decode"
	"planetag/pipeline"
	"planetag/pipeline/eval"
)

// hashSide is the side of the square that is hashed, in pixels: what the hash
// itself shrinks pictures to.
const hashSide = 64

// hasher reads photos whole, for their pixels.
type hasher struct {
	pool     *decode.Pool
	geometry decode.Geometry
	most     int64
}

func newHasher(c pipeline.Config) (*hasher, error) {
	h := &hasher{geometry: decode.Geometry{Size: hashSide, Crop: 1}, most: int64(c.Photos.MaxObjectBytes)}
	limits := decode.DefaultLimits()
	limits.MaxBytes = h.most
	var err error
	h.pool, err = decode.NewPool(limits, h.geometry, decode.PoolOptions{
		Processes: c.Decode.Processes, Deadline: time.Duration(c.Decode.Deadline), Memory: int64(c.Decode.Memory),
	})
	return h, err
}

func (h *hasher) close() error { return h.pool.Close() }

// read is the EXIF and the hash of a photo. One whose pixels are damaged has
// neither: a manifest of photos to learn from has no use for it.
func (h *hasher) read(ctx context.Context, in io.ReaderAt, size int64) (decode.Exif, string, error) {
	if size > h.most {
		return decode.Exif{}, "", fmt.Errorf("%w: it has %d bytes, at most %d are read", decode.ErrLimits, size, h.most)
	}
	data := make([]byte, size)
	if n, err := in.ReadAt(data, 0); n < len(data) {
		return decode.Exif{}, "", err
	}
	pixels := make([]byte, h.geometry.Bytes())
	photo, err := h.pool.Photo(ctx, data, h.geometry, pixels)
	if err != nil {
		return decode.Exif{}, "", err
	}
	hash, err := eval.PerceptualHash(pixels)
	if err != nil {
		return decode.Exif{}, "", err
	}
	return photo.Exif, fmt.Sprintf("%016x", hash), nil
}
