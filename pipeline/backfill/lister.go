package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"planetag/consumer"
	"planetag/pipeline"
)

// page is some of a range: what it leads to, and the range behind it.
type page struct {
	shard   int
	state   shard
	level   int // photos of the level between the ranges
	records []consumer.Record
	counts  Counts
}

// lister lists an archive.
type lister struct {
	bucket, prefix string
	level          string
	topic          string
	size           int // objects of a page
	filter         compiled
	known          *known
	list           func(ctx context.Context, bucket, prefix, after string, each func(pipeline.Listed) error) error
}

// errUntil ends a listing at the end of its range.
var errUntil = errors.New("end of the range")

// walk lists range i from where it is, and hands page after page to out. The last one is done.
func (l *lister) walk(ctx context.Context, i int, s shard, out chan<- page) error {
	p := page{shard: i, state: s}
	s.Open = slices.Clone(s.Open) // the checkpoint, from which it comes, is written meanwhile
	hand := func() error {
		p.state.Open = slices.Clone(s.Open)
		select {
		case out <- p:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		p = page{shard: i, state: p.state}
		return nil
	}
	err := l.list(ctx, l.bucket, l.prefix, s.After, func(o pipeline.Listed) error {
		if s.Until != "" && o.Key > s.Until {
			return errUntil
		}
		if err := l.take(&p, &s.Open, o); err != nil {
			return err
		}
		p.state.After = o.Key
		if p.counts.Objects < int64(l.size) {
			return nil
		}
		return hand()
	})
	if err != nil && !errors.Is(err, errUntil) {
		return err
	}
	for n := len(s.Open); n > 0; n-- {
		if err := l.complete(&p, s.Open[n-1]); err != nil {
			return err
		}
	}
	s.Open, p.state.Done = nil, true
	return hand()
}

// take adds an object, and the albums that have ended before it, to the page.
func (l *lister) take(p *page, open *openAlbums, o pipeline.Listed) error {
	for _, ended := range open.pass(o.Key) {
		if err := l.complete(p, ended); err != nil {
			return err
		}
	}
	p.counts.Objects++
	p.counts.Bytes += o.Size
	if reason := l.filter.reason(o); reason != "" {
		p.counts.skip(reason, 1)
		return nil
	}
	switch l.known.of(l.bucket+"/"+o.Key, o.ETag) {
	case optedOut:
		p.counts.OptedOut++
		return nil
	case located:
		if !l.filter.Redo {
			p.counts.Located++
			return nil
		}
	}
	rec, err := reference(l.topic, l.bucket, o)
	if err != nil {
		return err
	}
	p.records = append(p.records, rec)
	p.counts.References++
	p.counts.ReferenceBytes += o.Size
	switch {
	case dirOf(o.Key) == l.level:
		p.level++
	case pipeline.AlbumOf(o.Key) != "":
		open.add(o.Key)
	}
	return nil
}

// reference is the record for an object, keyed by its album, so that an album lies in one partition.
func reference(topic, bucket string, o pipeline.Listed) (consumer.Record, error) {
	album := pipeline.AlbumOf(o.Key)
	value, err := json.Marshal(struct {
		Bucket    string `json:"bucket"`
		Key       string `json:"key"`
		VersionID string `json:"version_id,omitempty"`
		Album     string `json:"album"`
	}{bucket, o.Key, o.VersionID, album})
	if err != nil {
		return consumer.Record{}, fmt.Errorf("write reference to %s: %w", o.Key, err)
	}
	key := album
	if key == "" {
		key = bucket + "/" + o.Key
	}
	return consumer.Record{Topic: topic, Partition: -1, Key: []byte(key), Value: value}, nil
}

// complete adds the end of an album to the page.
func (l *lister) complete(p *page, a openAlbum) error {
	rec, err := albumComplete(l.topic, a)
	if err != nil {
		return err
	}
	p.records = append(p.records, rec)
	p.counts.Albums++
	return nil
}

func albumComplete(topic string, a openAlbum) (consumer.Record, error) {
	album := strings.TrimSuffix(a.Dir, "/")
	value, err := json.Marshal(struct {
		Album  string `json:"album_complete"`
		Photos int    `json:"photos"`
	}{album, a.Photos})
	if err != nil {
		return consumer.Record{}, fmt.Errorf("write the end of album %s: %w", album, err)
	}
	return consumer.Record{Topic: topic, Partition: -1, Key: []byte(album), Value: value}, nil
}
