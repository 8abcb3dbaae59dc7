package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// entrant is a worker that can be started: ours, or a peer.
type entrant struct {
	name   string
	path   string // of the program
	argv   []string
	env    []string
	copies int      // processes
	cores  int      // to which they are confined; 0 = all
	http   []string // where each of ours answers; none for a peer
	topic  string   // of the references
	group  string   // whose offsets tell how far it is
	output string   // topic of our locations
}

// crew is how many processes of our own share a topic, and on how many cores; 0 = all.
type crew struct{ workers, cores int }

// crew is the one that is asked for.
func (o Options) crew() crew { return crew{max(o.Workers, 1), o.Cores} }

// worker is our own worker with a bundle, as a new group on the input topic. What it is set to beyond that comes from the
// environment of this process, as with `planetag run`.
func (b *bench) worker(bundle string, crew crew, more map[string]string) entrant {
	b.runs++
	name := fmt.Sprintf("bench-%d-%d", time.Now().UnixMilli(), b.runs)
	e := entrant{
		name: "planetag", path: "/proc/self/exe", argv: []string{os.Args[0], "run"}, copies: crew.workers, cores: crew.cores,
		topic: inputTopic, group: name + ".photos", output: name + ".locations",
	}
	for range crew.workers {
		e.http = append(e.http, freeAddress())
	}
	settings := map[string]string{
		"KAFKA_BROKERS": b.world.brokers, "KAFKA_GROUP": name, "TOPICS_INPUT": inputTopic, "TOPICS_LOCATIONS": e.output,
		"TOPICS_EMBEDDINGS": name + ".embeddings", "TOPICS_DEAD_LETTERS": name + ".dead-letters", "TOPICS_CREATE": "true",
		"TOPICS_PARTITIONS": fmt.Sprint(partitions), "TOPICS_REPLICATION": "1",
		"S3_ENDPOINT": b.world.store.String(), "S3_ACCESS_KEY": accessKey, "S3_SECRET_KEY": secretKey, "S3_BUCKET": bucket,
		"BUNDLE_PATH": bundle, "BUNDLE_LIBRARY": b.Config.Bundle.Library, "STAGES": "photos",
		"HTTP_PROFILES": "true", "LOG_LEVEL": "warn",
	}
	for key, value := range more {
		settings[key] = value
	}
	for key, value := range settings {
		e.env = append(e.env, "PLANETAG_"+key+"="+value)
	}
	return e
}

// absolute is a path that is right in another process, too.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

func freeAddress() string {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0" // the worker will say what is wrong with loopback
	}
	defer l.Close()
	return l.Addr().String()
}

// running is an entrant at work.
type running struct {
	entrant
	processes []*process
}

func (e entrant) launch() (*running, error) {
	r := &running{entrant: e}
	err := confined(e.cores, func() error {
		for i := range e.copies {
			env := e.env
			if len(e.http) > 0 {
				env = append(slices.Clone(env), "PLANETAG_HTTP_LISTEN="+e.http[i])
			}
			p, err := start(e.path, e.argv, env)
			if err != nil {
				return err
			}
			r.processes = append(r.processes, p)
		}
		return nil
	})
	if err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *running) stop() {
	for _, p := range r.processes {
		p.stop(20 * time.Second)
	}
}

func (r *running) alive() error {
	for _, p := range r.processes {
		if err := p.alive(len(r.http) == 0); err != nil { // a peer ends when it finds no more photos
			return err
		}
	}
	return nil
}

func (r *running) usage() usage {
	var all usage
	for _, p := range r.processes {
		u := p.usage()
		all = usage{all.worker + u.worker, all.children + u.children, all.rss + u.rss}
	}
	return all
}

// ready waits until each of our workers says that it is.
func (r *running) ready(ctx context.Context) error {
	for _, address := range r.http {
		if err := r.answers(ctx, address); err != nil {
			return err
		}
	}
	return nil
}

func (r *running) answers(ctx context.Context, address string) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		if err := r.alive(); err != nil {
			return err
		}
		if response, err := get(ctx, address, "/ready"); err == nil { // until it listens, that is the wait
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
	}
}

func get(ctx context.Context, address, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request)
}
