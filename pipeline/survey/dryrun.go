package survey

import (
	"context"

	"planetag/enrich/decode"
	"planetag/pipeline"
)

// dryRun lists the archive and says what reading it would take, at least.
func dryRun(ctx context.Context, from archive, o Options) (Report, error) {
	r := Report{Archive: o.Archive, DryRun: true, Skipped: map[string]skippedCount{}}
	albums := map[string]bool{}
	err := from.list(ctx, "", func(l pipeline.Listed) error {
		if kind := kind(l, o.OptOut); kind != "" {
			have := r.Skipped[kind]
			r.Skipped[kind] = skippedCount{have.Objects + 1, have.Bytes + l.Size}
			return nil
		}
		r.Photos++
		r.Bytes += l.Size
		r.Requests++
		r.BytesRead += min(l.Size, decode.ExifBlockBytes) // of most photos one block is read
		albums[Photo{Key: l.Key}.Album()] = true
		if o.Progress != nil {
			o.Progress(0, r.Photos)
		}
		return nil
	})
	r.Albums.Albums = int64(len(albums))
	return r, err
}
