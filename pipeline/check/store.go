package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"planetag/enrich/decode"
	"planetag/pipeline"
)

// bucket asks for the bucket and lists some of it.
func (c *checking) bucket(ctx context.Context, k *Check) {
	var err error
	if c.store, err = pipeline.NewStore(c.cfg.S3, c.cfg.Photos.MaxObjectBytes); err != nil {
		k.wrong(err, "set the key that is named")
		return
	}
	name := c.cfg.S3.Bucket
	if name == "" && len(c.live) > 0 {
		name = c.live[0].Bucket
	}
	if err := c.store.Ping(ctx, name); err != nil {
		k.fail(configured(err), err.Error(), c.storeRemedy(err, name))
		return
	}
	if name == "" {
		k.found("%s answers", c.cfg.S3.Endpoint)
		k.warn("s3.bucket is empty, and no message names a bucket", "set s3.bucket, so that a wrong endpoint or key is known at the start")
		return
	}
	if err := c.listSome(ctx, k, name); err != nil {
		k.fail(configured(err), err.Error(), c.storeRemedy(err, name))
	}
}

// configured marks the refusals of a store, which only the operator can end.
func configured(err error) error {
	if errors.Is(err, pipeline.ErrStorageDenied) || errors.Is(err, pipeline.ErrObjectDenied) || errors.Is(err, pipeline.ErrObjectGone) {
		return fmt.Errorf("%w: %w", pipeline.ErrConfig, err)
	}
	return err
}

func (c *checking) storeRemedy(err error, bucket string) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "does not exist"):
		return fmt.Sprintf("set s3.bucket to the bucket that holds the photos, or make %q", bucket)
	case strings.Contains(text, "TimeTooSkewed"), strings.Contains(text, "clock"):
		return "set this machine's clock right, by NTP"
	case errors.Is(err, pipeline.ErrStorageConfig), errors.Is(err, pipeline.ErrStorageDenied):
		return "check s3.endpoint, s3.region, s3.access_key and s3.secret_key; docs/security.md has the policy that is needed"
	case errors.Is(err, pipeline.ErrObjectDenied):
		return "allow s3:GetObject on the bucket's objects: docs/security.md has the policy"
	}
	return "check s3.endpoint: is the store running, and can this machine reach it?"
}

// listedObjects bounds how far a bucket is searched for a photo.
const listedObjects = 1000

var errEnough = errors.New("enough")

// listSome lists until there is a photo, by its name.
func (c *checking) listSome(ctx context.Context, k *Check, bucket string) error {
	seen := 0
	err := c.store.List(ctx, bucket, "", "", func(o pipeline.Listed) error {
		seen++
		if isPhoto(o.Key) && o.Size > 0 && o.Size <= int64(c.cfg.Photos.MaxObjectBytes) {
			c.photo = &pipeline.Reference{PhotoID: bucket + "/" + o.Key, Bucket: bucket, Key: o.Key}
			return errEnough
		}
		if seen == listedObjects {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	k.found("bucket %s can be listed", bucket)
	if c.photo == nil {
		k.warn(fmt.Sprintf("none of the first %s of bucket %s is a photo by its name", count(seen, "object"), bucket),
			"put a photo into it, or set s3.bucket to the one that has them")
	}
	return nil
}

func isPhoto(key string) bool {
	kinds := []string{".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif"}
	return slices.Contains(kinds, strings.ToLower(path.Ext(key)))
}

// samplePhoto fetches and decodes one photo: the first that can be of those that messages ask for, or else the bucket's.
func (c *checking) samplePhoto(ctx context.Context, k *Check) {
	tries := c.live
	if c.photo != nil {
		tries = append(tries[:len(tries):len(tries)], *c.photo)
	}
	c.photo = nil
	if len(tries) == 0 {
		k.skip("there is none to try")
		return
	}
	for _, ref := range tries {
		if k.Status == Failed || c.tryPhoto(ctx, k, ref) {
			return
		}
	}
}

// tryPhoto says whether a photo could be fetched and decoded. One that is gone, or is none, only deserves a warning.
func (c *checking) tryPhoto(ctx context.Context, k *Check, ref pipeline.Reference) bool {
	name := ref.Bucket + "/" + ref.Key
	remedy := "the worker would make a dead letter of it; try others with `planetag explain s3://" + name + "`"
	object, err := c.store.Get(ctx, ref, nil)
	if err == nil {
		err = c.tryDecode(ctx, k, name, object)
	}
	switch {
	case err == nil:
		c.photo = &ref
	case pipeline.Judge(err) == pipeline.DeadLetter && !errors.Is(err, pipeline.ErrObjectDenied):
		k.warn(err.Error(), remedy)
	default:
		k.fail(configured(err), err.Error(), c.storeRemedy(err, ref.Bucket))
	}
	return err == nil
}

func (c *checking) tryDecode(ctx context.Context, k *Check, name string, object pipeline.Object) error {
	g := decode.Geometry{Size: 64, Crop: 1}
	decoder, err := c.cfg.NewDecoder(g)
	if err != nil {
		return err
	}
	defer decoder.Close()
	started := time.Now()
	photo, err := decoder.Photo(ctx, object.Data, g, make([]byte, g.Bytes()))
	if err != nil {
		return fmt.Errorf("decode %s: %w", name, err)
	}
	k.found("%s, %s of %s, %d×%d, decoded in %d ms", name, photo.Info.Format, roughly(object.Size), photo.Info.Width, photo.Info.Height,
		time.Since(started).Milliseconds())
	return nil
}

// skewed are how far this machine's clock may be from the store's before it is worth a word; the Date of an answer has whole
// seconds only.
const skewed = 3 * time.Second

// clock compares this machine's clock with the Date of the store's answer and with the newest messages. Kafka has no
// answer that tells its time unless something is written.
func (c *checking) clock(ctx context.Context, k *Check) {
	ahead, err := c.ahead(ctx)
	if err != nil {
		k.skip("the store does not tell the time: " + err.Error())
		return
	}
	c.judgeClock(k, ahead)
	for _, rec := range c.messages {
		if early := time.Until(rec.Time); early > skewed {
			k.warn(fmt.Sprintf("message %s/%d@%d was written %v from now", rec.Topic, rec.Partition, rec.Offset, early.Round(time.Second)),
				"compare the clocks of this machine, of the brokers and of who writes the references")
			return
		}
	}
}

// judgeClock fails where answers would suffer: an album is closed when its newest embedding, whose time is another worker's,
// is older than albums.idle; and S3 refuses requests that are 15 minutes off.
func (c *checking) judgeClock(k *Check, ahead time.Duration) {
	const remedy = "set the clocks of all machines by NTP"
	off, text := ahead.Abs(), ahead.Abs().Round(time.Second).String()
	if ahead > 0 {
		text += " ahead of the store's"
	} else {
		text += " behind the store's"
	}
	switch idle := time.Duration(c.cfg.Albums.Idle); {
	case off > min(idle/2, 5*time.Minute) && off > skewed:
		k.fail(pipeline.ErrConfig, fmt.Sprintf("this machine's clock is %s; albums are closed by the clock, after albums.idle (%v)", text, idle), remedy)
	case off > skewed:
		k.warn("this machine's clock is "+text, remedy)
	default:
		k.found("no more than %v from the store's", max(off.Round(time.Second), time.Second))
	}
}

// ahead is by how much this machine's clock is ahead of the store's. Any answer will do, a refusal too.
func (c *checking) ahead(ctx context.Context) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, c.cfg.S3.Endpoint, nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Timeout: time.Duration(c.cfg.S3.Timeout)}
	asked := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0, errors.New("its answer has no date")
	}
	// The answer was made between asked and now, and its date is cut to the second.
	return asked.Add(time.Since(asked) / 2).Sub(date.Add(time.Second / 2)), nil
}
