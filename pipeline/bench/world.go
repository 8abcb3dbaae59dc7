package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// What a peer expects; our own worker takes any name.
const (
	inputTopic = "pin"
	peerOutput = "pout"
	bucket     = "photos"
	accessKey  = "ak"
	secretKey  = "secretkey"
	partitions = 8
	albumSize  = 20
	embedded   = "embedded"
)

// world is everything around a worker: broker, store, photos, references.
type world struct {
	brokers string
	store   *url.URL
	client  *consumer.Client
	photos  []file
	stats   PhotoStats
	closing []func()
}

func (w *world) close() {
	for i := len(w.closing) - 1; i >= 0; i-- {
		w.closing[i]()
	}
}

// open starts or reaches broker and store, and puts photos and references where the workers will look for them.
func (b *bench) open(ctx context.Context) (*world, error) {
	w := &world{}
	err := errors.Join(w.openBroker(b.Kafka), w.openStore(b.S3))
	if err == nil {
		b.Progress("photos")
		w.photos, w.stats, err = readPhotos(b.Photos, b.Megapixels)
	}
	if err == nil {
		err = w.fill(ctx, b)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) openBroker(addr string) error {
	w.brokers = addr
	if addr == embedded {
		broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
		if err != nil {
			return fmt.Errorf("start the embedded broker: %w", err)
		}
		w.closing = append(w.closing, broker.Close)
		w.brokers = broker.Addr()
	}
	client, err := consumer.NewClient(consumer.Config{Brokers: []string{w.brokers}, ClientID: "planetag-bench"})
	if err != nil {
		return err
	}
	w.closing, w.client = append(w.closing, client.Close), client
	return nil
}

func (w *world) openStore(address string) (err error) {
	if address == embedded {
		store, err := devstore.Start(devstore.Options{AccessKey: accessKey})
		if err != nil {
			return fmt.Errorf("start the embedded S3: %w", err)
		}
		w.closing = append(w.closing, func() { _ = store.Close() }) // nothing is left to be lost
		address = store.URL()
	}
	if w.store, err = url.Parse(address); err == nil && w.store.Host == "" {
		err = errors.New("it is no URL like http://localhost:9000")
	}
	if err != nil {
		return fmt.Errorf("%w: s3 %q: %w", pipeline.ErrConfig, address, err)
	}
	return nil
}

// fill makes the topics and the bucket, and publishes the references once: every worker reads them as a new group.
func (w *world) fill(ctx context.Context, b *bench) error {
	c := b.Config.S3
	c.Endpoint, c.AccessKey, c.SecretKey = w.store.String(), accessKey, secretKey
	store, err := pipeline.NewStore(c, b.Config.Photos.MaxObjectBytes)
	if err == nil {
		err = store.MakeBucket(ctx, bucket)
	}
	for _, p := range w.photos {
		if err == nil {
			err = store.Put(ctx, bucket, p.key, p.data)
		}
	}
	if err != nil {
		return err
	}
	if _, err := w.client.Partitions(ctx, inputTopic); err == nil { // every worker begins at its start
		return fmt.Errorf("%w: topic %s exists on %s, and would be measured with what is on it; delete it and %s", ErrBench, inputTopic, w.brokers, peerOutput)
	}
	if err := w.makeTopics(ctx, inputTopic, peerOutput); err != nil {
		return err
	}
	b.Progress(fmt.Sprintf("%d references", b.Count))
	return w.publish(ctx, inputTopic, 0, b.Count)
}

func (w *world) makeTopics(ctx context.Context, names ...string) error {
	var topics []consumer.Topic
	for _, name := range names {
		topics = append(topics, consumer.Topic{Name: name, Partitions: partitions, Replication: 1})
	}
	return w.client.EnsureTopics(ctx, topics, true)
}

// reference is the input of our worker and of a peer.
type reference struct {
	ID      string `json:"id"`
	PhotoID string `json:"photo_id"`
	Bucket  string `json:"bucket"`
	Key     string `json:"key"`
	Album   string `json:"album"`
}

// publish writes the references from number from on to before number to, as many to each partition.
func (w *world) publish(ctx context.Context, topic string, from, to int) error {
	const atOnce = 5000
	for sent := from; sent < to; {
		var records []consumer.Record
		for ; len(records) < atOnce && sent < to; sent++ {
			record, err := w.reference(topic, sent)
			if err != nil {
				return err
			}
			records = append(records, record)
		}
		if err := w.client.Publish(ctx, records); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) reference(topic string, i int) (consumer.Record, error) {
	album := i / partitions / albumSize * partitions // of one partition, so that every partition gets as many photos
	id := fmt.Sprint("m", i)
	value, err := json.Marshal(reference{id, id, bucket, w.photos[i%len(w.photos)].key, fmt.Sprint("a", album+i%partitions)})
	return consumer.Record{Topic: topic, Partition: i % partitions, Key: []byte(id), Value: value}, err
}
