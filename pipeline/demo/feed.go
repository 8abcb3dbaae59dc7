package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"planetag/consumer"
)

// uploads is how many photos are put into the bucket at once.
const uploads = 8

// reference is what the demo publishes: the plain form of the input, as any producer would write it.
type reference struct {
	Bucket  string    `json:"bucket"`
	Key     string    `json:"key"`
	Album   string    `json:"album"` // written even when empty: "" means that the photo has none
	TakenAt time.Time `json:"taken_at,omitzero"`
}

// albumComplete tells the album stage not to wait for more photos of an album.
type albumComplete struct {
	Album  string `json:"album_complete"`
	Photos int    `json:"photos"`
}

// upload puts every photo into the bucket, under its path.
func (s *show) upload(ctx context.Context) error {
	var bytes atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(uploads)
	for _, p := range s.photos.photos {
		g.Go(func() error {
			data, err := fs.ReadFile(s.photos.files, p.file)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrFolder, err)
			}
			bytes.Add(int64(len(data)))
			return s.store.Put(ctx, s.Config.S3.Bucket, s.prefix+p.file, data)
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("upload photos: %w", err)
	}
	s.screen.ticked("photos", fmt.Sprintf("%d uploaded, %.1f MB, %s", len(s.photos.photos), float64(bytes.Load())/1e6, counted(len(s.photos.albums()), "album")))
	return nil
}

// publish sends one reference per photo and then, per album, the word that it is complete.
func (s *show) publish(ctx context.Context) error {
	var records []consumer.Record
	add := func(key string, value any) error {
		text, err := json.Marshal(value)
		records = append(records, consumer.Record{Topic: s.Config.Topics.Input, Partition: -1, Key: []byte(key), Value: text})
		return err
	}
	for _, p := range s.photos.photos {
		ref := reference{Bucket: s.Config.S3.Bucket, Key: s.prefix + p.file, Album: s.album(p.album), TakenAt: p.takenAt}
		if err := add(s.photoID(p), ref); err != nil {
			return fmt.Errorf("write reference to %s: %w", p.file, err)
		}
	}
	for album, photos := range s.photos.albums() {
		if err := add(s.album(album), albumComplete{s.album(album), photos}); err != nil {
			return fmt.Errorf("write end of album %s: %w", album, err)
		}
	}
	if err := s.client.Publish(ctx, records); err != nil {
		return fmt.Errorf("publish references: %w", err)
	}
	return nil
}

func (s *show) photoID(p photo) string { return s.Config.S3.Bucket + "/" + s.prefix + p.file }

func (s *show) album(name string) string {
	if name == "" {
		return ""
	}
	return s.prefix + name
}
