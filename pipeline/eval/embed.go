package eval

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"planetag/enrich"
)

// batch is how many photos go through the CNN at once. It is fixed, and so is which photo is in which batch, because a
// figure must not depend on the number of cores.
const batch = 8

// ErrPhotos marks a photos folder from which nothing could be read.
var ErrPhotos = errors.New("read photos")

// item is one photo that could be read, with what the CNN saw in it.
type item struct {
	row    Row
	sight  enrich.Sight
	views  []enrich.Sight    // of the photo's other views, where they are wanted
	digest [sha256.Size]byte // of the file: finds the same photo in a gallery
	camera string            // of its EXIF
	hash   uint64            // perceptual, of the decoded pixels; 0 when there is no gallery to compare with
}

// Unreadable is one photo that could not be scored, and why.
type Unreadable struct {
	ID    string `json:"id"`
	File  string `json:"file"`
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// embedder runs photos of one folder through decoder and CNN.
type embedder struct {
	model    *enrich.Model
	dir      string
	hashes   bool // wanted: they take a millisecond a photo
	views    int  // of each photo, beside the one the worker sees; see views
	progress func(done, total int)
}

// embed is all, and an error for a folder without any photo.
func (e embedder) embed(ctx context.Context, rows []Row) ([]item, []Unreadable, error) {
	good, bad, err := e.all(ctx, rows)
	if err == nil && len(good) == 0 {
		err = fmt.Errorf("%w in %s: none of %d could be read, the first because: %s", ErrPhotos, e.dir, len(rows), bad[0].Error)
	}
	return good, bad, err
}

// all reads, decodes and embeds all rows, on all cores. Rows that cannot be read or decoded come back as Unreadable,
// both results in the order of the rows. The error is for a failing model or an ended ctx.
func (e embedder) all(ctx context.Context, rows []Row) ([]item, []Unreadable, error) {
	items := make([]item, len(rows))
	failed := make([]error, len(rows))
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < len(rows); from += batch {
		to := min(from+batch, len(rows))
		g.Go(func() error {
			err := e.embedBatch(ctx, rows[from:to], items[from:to], failed[from:to])
			e.progress(int(done.Add(int64(to-from))), len(rows))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	var good []item
	var bad []Unreadable
	for i, err := range failed {
		if err == nil {
			good = append(good, items[i])
			continue
		}
		bad = append(bad, Unreadable{ID: rows[i].ID, File: rows[i].File, Line: rows[i].Line, Error: err.Error()})
	}
	return good, bad, nil
}

// embedBatch fills items and failed, which are windows on the same rows.
func (e embedder) embedBatch(ctx context.Context, rows []Row, items []item, failed []error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var pixels [][]byte
	var seen []int
	for i, row := range rows {
		items[i].row = row
		decoded, err := e.decode(ctx, &items[i])
		if err != nil {
			failed[i] = err
			continue
		}
		pixels, seen = append(pixels, decoded...), append(seen, i)
	}
	if len(pixels) == 0 {
		return nil
	}
	sights, err := e.model.Embed(ctx, pixels)
	if err != nil {
		return fmt.Errorf("embed photos from line %d of the manifest: %w", rows[0].Line, err)
	}
	for k, i := range seen {
		of := sights[k*(1+e.views) : (k+1)*(1+e.views)]
		items[i].sight, items[i].views = of[0], of[1:]
	}
	return nil
}

// decode reads the pixels of a photo, and those of its other views, and notes what finds the photo in a gallery.
func (e embedder) decode(ctx context.Context, it *item) ([][]byte, error) {
	data, err := os.ReadFile(filepath.Join(e.dir, filepath.FromSlash(it.row.File)))
	if err != nil {
		return nil, err
	}
	pixels := make([]byte, e.model.Info().InputBytes)
	photo, err := e.model.Decode(ctx, data, pixels)
	if err != nil {
		return nil, err
	}
	it.camera = photo.Exif.Camera
	it.digest = sha256.Sum256(data)
	if e.hashes {
		it.hash, err = PerceptualHash(pixels)
	}
	if err != nil {
		return nil, err
	}
	more, err := views(e.model, data, it.row.ID, e.views)
	return append([][]byte{pixels}, more...), err
}
