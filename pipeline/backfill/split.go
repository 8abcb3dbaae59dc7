package backfill

import (
	"context"
	"slices"
)

// shard is a range of keys and how far it is listed.
type shard struct {
	After string     `json:"after"` // the last key that was passed, or what the range begins behind
	Until string     `json:"until"` // the last key that may be in it; empty = no end
	Open  openAlbums `json:"open,omitempty"`
	Done  bool       `json:"done,omitempty"`
}

// levels lists one level of directories: up to most names, cut there.
type levels interface {
	Directories(ctx context.Context, bucket, prefix string, most int) (dirs []string, objects int, err error)
}

// maxLevel is how much of a level is looked at before it is cut: a handful of requests. Of a level with more entries
// the rest falls into the last range.
const maxLevel = 5000

// split cuts the keys under a prefix into at most n ranges, at the names of directories of one level, the first one that
// has more than one. The photos of that level itself lie between its directories, in any of the ranges: level is its
// name, "" with a single range.
func split(ctx context.Context, from levels, bucket, prefix string, n int) (shards []shard, level string, err error) {
	dirs, level := []string(nil), prefix
	for n > 1 {
		var objects int
		if dirs, objects, err = from.Directories(ctx, bucket, level, maxLevel); err != nil {
			return nil, "", err
		}
		if len(dirs) != 1 || objects > 0 {
			break
		}
		level = dirs[0]
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs) // a page that was asked for again
	shards = []shard{{}}
	for i := 1; i < min(n, len(dirs)); i++ {
		at := dirs[i*len(dirs)/min(n, len(dirs))]
		shards[len(shards)-1].Until = at
		shards = append(shards, shard{After: at})
	}
	if len(shards) == 1 {
		return shards, "", nil
	}
	return shards, dirOf(level), nil
}
