package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/enrich/bundle"
	"planetag/pipeline"
)

// RetractOptions say which answers are to be taken back.
type RetractOptions struct {
	Config pipeline.Config
	Model  string    // name, or name@version, of the bundle; or
	Bundle string    // its folder, or the sha256 of its bundle.yaml, or how that begins: four hexadecimal digits and more
	Since  time.Time // published at or after; zero = all
	DryRun bool
	Log    *slog.Logger
}

// Retraction is what was, or would be, taken back.
type Retraction struct {
	Photos    int64          `json:"photos"`    // that the topic knows and that are not removed
	Retracted int64          `json:"retracted"` // estimates and abstentions of the model
	Given     int64          `json:"given"`     // measured positions that the model was only compared with; they stay
	Bundles   map[string]int `json:"bundles"`   // of what is retracted: name@version sha256
	Unread    int64          `json:"unread"`    // records that tell nothing of an answer; of a program in output.map, say
	DryRun    bool           `json:"dry_run"`
}

// ErrBundle says that the beginning of a checksum means more than one bundle.
var ErrBundle = errors.New("more than one bundle")

// kept is what of a photo's answer decides about its retraction.
type kept struct {
	Standing
	status, bundle, sha string
	time                time.Time
}

// retractBatch is how many tombstones are published at a time.
const retractBatch = 1000

// Retract reads the locations topic up to its end and publishes a tombstone, of a revision higher than the answer's, for each
// photo whose last answer is the model's. An answer that is published meanwhile is newer and stays. Doing it again retracts
// what is left.
func Retract(ctx context.Context, o RetractOptions) (Retraction, error) {
	done := Retraction{Bundles: make(map[string]int), DryRun: o.DryRun}
	sha, err := o.sha()
	if err != nil {
		return done, err
	}
	client, err := pipeline.Connect(ctx, o.Config, o.Log, nil)
	if err != nil {
		return done, err
	}
	defer client.Close()
	photos, unread, err := standings(ctx, client, o.Config.Topics.Locations)
	done.Unread = unread
	if err != nil {
		return done, err
	}
	var tombstones []consumer.Record
	sums := make(map[string]bool)
	for id, k := range photos {
		if o.counts(&done, k, sha) {
			tombstones = append(tombstones, pipeline.Tombstone(o.Config.Topics.Locations, id, k.Revision+1))
			sums[k.sha] = true
		}
	}
	switch {
	case sha != "" && len(sums) > 1:
		return done, fmt.Errorf("%w: %s is how %s begin; give more digits", ErrBundle, o.Bundle, strings.Join(slices.Sorted(maps.Keys(sums)), " and "))
	case o.DryRun:
		return done, nil
	}
	for batch := range slices.Chunk(tombstones, retractBatch) {
		if err := client.Publish(ctx, batch); err != nil {
			return done, fmt.Errorf("publish retractions: %w", err)
		}
	}
	return done, nil
}

// counts tells whether the answer is to be retracted, and counts it in any case.
func (o RetractOptions) counts(done *Retraction, k kept, sha string) bool {
	if k.Deleted {
		return false
	}
	done.Photos++
	if !o.means(k, sha) {
		return false
	}
	if k.status == pipeline.StatusGiven {
		done.Given++
		return false
	}
	done.Retracted++
	done.Bundles[k.bundle+" "+k.sha]++
	return true
}

// means tells whether the answer is one of those that are to be taken back.
func (o RetractOptions) means(k kept, sha string) bool {
	name, _, _ := strings.Cut(k.bundle, "@")
	switch {
	case k.bundle == "" || k.time.Before(o.Since):
		return false
	case o.Model != "":
		return o.Model == name || o.Model == k.bundle
	}
	return strings.HasPrefix(k.sha, sha)
}

// sha is how the checksum of the bundle begins that is meant; "" where a model is.
func (o RetractOptions) sha() (string, error) {
	if o.Model != "" {
		return "", nil
	}
	if digits := strings.ToLower(o.Bundle); regexp.MustCompile(`^[0-9a-f]{4,64}$`).MatchString(digits) {
		return digits, nil
	}
	b, err := bundle.Read(o.Bundle)
	if err != nil {
		return "", fmt.Errorf("%q is neither a checksum of four hexadecimal digits and more nor the folder of a bundle: %w", o.Bundle, err)
	}
	return b.SHA256, nil
}

// standings folds the topic, in whatever preset's form. It keeps a few words for each photo, some hundred bytes.
func standings(ctx context.Context, client *consumer.Client, topic string) (photos map[string]kept, unread int64, err error) {
	photos = make(map[string]kept)
	_, err = client.Read(ctx, topic, nil, func(rec consumer.Record) error {
		doc, err := read(rec, "none")
		if err != nil && rec.Value != nil {
			doc = mapped(rec)
		}
		if doc == nil { // what is no location is no model's answer
			unread++
			return nil
		}
		stands, newer := photos[doc.PhotoID].after(doc.standing())
		if !newer {
			return nil
		}
		k := kept{Standing: stands, status: doc.Status, time: doc.Time}
		if doc.Model != nil {
			k.bundle, k.sha = doc.Model.Bundle, doc.Model.SHA256
		}
		photos[doc.PhotoID] = k
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read locations: %w", err)
	}
	return photos, unread, nil
}
