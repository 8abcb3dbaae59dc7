package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"planetag/consumer"
	"planetag/pipeline"
)

// shelf is a bucket that is a sorted list of keys.
type shelf []string

func (s shelf) list(_ context.Context, _, prefix, after string, each func(pipeline.Listed) error) error {
	for _, key := range s {
		if key > after && strings.HasPrefix(key, prefix) {
			if err := each(pipeline.Listed{Key: key, ETag: "e-" + key, Size: 1000}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s shelf) Directories(_ context.Context, _, prefix string, most int) (dirs []string, objects int, err error) {
	for _, key := range s {
		rest, below := strings.CutPrefix(key, prefix)
		if !below || len(dirs)+objects == most {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); !deeper {
			objects++
		} else if dir := prefix + name + "/"; !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, objects, nil
}

// ledger is a topic and its state topic: what is written in one transaction is there as a whole, or not at all.
type ledger struct {
	records []consumer.Record
	state   []byte
	writes  int
	killAt  int  // this write never happens …
	kept    bool // … or happens, and nobody hears of it
}

var errKilled = errors.New("killed")

func (l *ledger) Write(_ context.Context, records []consumer.Record) error {
	l.writes++
	if l.writes == l.killAt && !l.kept {
		return errKilled
	}
	for _, r := range records {
		if r.Topic == "state" {
			l.state = slices.Clone(r.Value)
		} else {
			l.records = append(l.records, r)
		}
	}
	if l.writes == l.killAt {
		return errKilled
	}
	return nil
}

// start is one start of the lister on what the ledger remembers.
func start(s shelf, l *ledger, prefix string, parallel, size int, filter Filter) error {
	ctx := context.Background()
	cp := &checkpoint{Version: 1, Archive: "s3://b/" + prefix, Filter: filter, Started: time.Now()}
	if l.state != nil {
		if err := json.Unmarshal(l.state, cp); err != nil {
			return err
		}
	} else {
		var err error
		if cp.Shards, cp.Level, err = split(ctx, s, "b", prefix, parallel); err != nil {
			return err
		}
	}
	c, err := cp.Filter.compile(cp.Started)
	if err != nil {
		return err
	}
	lister := &lister{bucket: "b", prefix: prefix, level: cp.Level, topic: "backfill", size: size, filter: c, known: newKnown("b/", "sha"), list: s.list}
	w := &scribe{cp: cp, writer: l, topics: pipeline.TopicsConfig{Backfill: "backfill", State: "state"}, progress: func(Progress) {}}
	g, ctx := errgroup.WithContext(ctx)
	pages := make(chan page)
	for i, shard := range cp.Shards {
		if !shard.Done {
			w.left++
			g.Go(func() error { return lister.walk(ctx, i, shard, pages) })
		}
	}
	g.Go(func() error { return w.run(ctx, pages) })
	return g.Wait()
}

// outcome is what a reader of the topic makes of it.
type outcome struct {
	photos map[string]int // by key
	ended  map[string]int // albums, with the number of photos that the end names
	wrong  []string
}

func read(records []consumer.Record) outcome {
	o := outcome{map[string]int{}, map[string]int{}, nil}
	for _, r := range records {
		var v struct {
			Key, Album string
			Complete   string `json:"album_complete"`
			Photos     int
		}
		if err := json.Unmarshal(r.Value, &v); err != nil {
			o.wrong = append(o.wrong, err.Error())
		}
		switch _, over := o.ended[v.Album]; {
		case v.Complete != "":
			if _, twice := o.ended[v.Complete]; twice {
				o.wrong = append(o.wrong, fmt.Sprintf("album %q ends twice", v.Complete))
			}
			o.ended[v.Complete] = v.Photos
		case over:
			o.wrong = append(o.wrong, fmt.Sprintf("photo %q comes behind the end of its album", v.Key))
		default:
			o.photos[v.Key]++
		}
	}
	return o
}

// keys draws an archive: few names, so that files lie before, between and behind directories of similar names.
func keys() *rapid.Generator[[]string] {
	part := rapid.SampledFrom([]string{"a", "b", "a.d", "a-", "é", "c c", "", "x.jpg", "a.jpg", "0"})
	return rapid.Custom(func(t *rapid.T) []string {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			key := strings.Join(rapid.SliceOfN(part, 0, 4).Draw(t, "path"), "/")
			if key != "" {
				key += "/"
			}
			return key + rapid.SampledFrom([]string{"1.jpg", "2.JPG", "m.jpg", "z.png", "notes.txt", ""}).Draw(t, "name")
		}), 0, 60).Draw(t, "keys")
		slices.Sort(list)
		return slices.DeleteFunc(slices.Compact(list), func(k string) bool { return k == "" })
	})
}
