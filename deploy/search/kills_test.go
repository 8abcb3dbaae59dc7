package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"planetag/deploy/realkafka"
	"planetag/pipeline/index"
)

// settings make batches small, so that a kill meets one half done.
const settings = `kafka:
  brokers: [%s]
  group: %s
  session_timeout: 2s
topics:
  partitions: 3
s3:
  endpoint: %s
  access_key: %s
  secret_key: %s
  bucket: photos
albums:
  idle: 3s
index:
  batch_bytes: 64KiB
  batch_delay: 50ms
  opensearch:
    addresses: [%s]
    index: %s
  postgis:
    url: %s
    table: %s
http:
  listen: ""
`

// command is the planetag program with a configuration.
type command struct {
	t              *testing.T
	binary, config string
}

// binary brings bin/planetag up to date as `make build` does.
func binary(t *testing.T) string {
	t.Helper()
	root := realkafka.Root(t)
	cmd := exec.CommandContext(t.Context(), "make", "-s", "build")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "MAKEFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	return filepath.Join(root, "bin", "planetag")
}

// configured writes a configuration file for the real parts.
func configured(t *testing.T, group string, kafka *realkafka.Kafka, store *realkafka.Versity, search *searchServer, db *database) command {
	t.Helper()
	path := filepath.Join(t.TempDir(), "planetag.yaml")
	text := fmt.Sprintf(settings, kafka.Addr(), group, store.URL, store.AccessKey, store.SecretKey, search.url, search.in, db.url, db.table)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return command{t: t, binary: binary(t), config: path}
}

// start starts the indexer for good.
func (c command) start(to string) *exec.Cmd {
	c.t.Helper()
	cmd := exec.Command(c.binary, "index", "--to", to, "--config", c.config, "--create")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.OpenFile(c.config+"."+to+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		err = cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return cmd
}

// assignments is how often an indexer has got partitions until now, and so has opened its index.
func (c command) assignments(to string) int {
	log, _ := os.ReadFile(c.config + "." + to + ".log")
	return bytes.Count(log, []byte("partitions assigned"))
}

// once runs the indexer until all is written that is there.
func (c command) once(ctx context.Context, to string) (f index.Figures) {
	c.t.Helper()
	cmd := exec.CommandContext(ctx, c.binary, "index", "--to", to, "--config", c.config, "--create", "--once", "--json")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &f)
	}
	if err != nil {
		c.t.Fatalf("planetag index --to %s --once: %v\n%s%s", to, err, out, said.String())
	}
	return f
}

// victim is an index whose indexer and whose server are killed.
type victim struct {
	target
	kill, restart func()
}

// kills has photos' stories published for as long as indexers and servers are killed. The indexes must then hold, of every
// photo, the record that stands in its story.
func kills(ctx context.Context, t *testing.T, c command, told *stories, victims []victim) {
	ofIndexer, ofServer := 3, 1
	if os.Getenv("INDEX_CHAOS") == "full" {
		ofIndexer, ofServer = 10, 3
	}
	telling, stop := context.WithCancel(ctx)
	var load sync.WaitGroup
	load.Go(func() {
		for telling.Err() == nil {
			told.tell(ctx, 50)
			time.Sleep(100 * time.Millisecond)
		}
	})
	var killing sync.WaitGroup
	for _, v := range victims {
		killing.Go(func() { v.suffer(ctx, c, ofIndexer, ofServer) })
	}
	killing.Wait()
	stop()
	load.Wait()
	for _, v := range victims {
		last := c.once(ctx, v.name())
		docs := v.all(ctx, t)
		list := told.differences(docs)
		for _, d := range list[:min(len(list), 5)] {
			t.Error(d)
		}
		t.Logf("%s: indexer killed %d times, server %d times: %d records of %d photos, %d documents checked, differences %d (the last run wrote %d of %d)",
			v.name(), ofIndexer, ofServer, told.records, told.photos, len(docs), len(list), last.Written, last.Records)
	}
}

// suffer kills an indexer again and again, each time in the middle of its work, and its server among that.
func (v victim) suffer(ctx context.Context, c command, ofIndexer, ofServer int) {
	for n := range ofIndexer {
		before := c.assignments(v.name())
		cmd := c.start(v.name())
		// Where the server is away before it has opened its index, it ends; and the index may still grow by what the last one had sent.
		for tries := 0; c.assignments(v.name()) == before && tries < 1800; tries++ {
			time.Sleep(100 * time.Millisecond)
		}
		v.getOn(ctx, c)
		if n >= ofIndexer-ofServer {
			v.kill()
			time.Sleep(300 * time.Millisecond)
			v.restart()
			v.getOn(ctx, c)
		}
		_ = cmd.Process.Kill() // it may have ended by itself, which its log says
		_ = cmd.Wait()
	}
}

// getOn waits until the index has grown, and so somebody writes. An indexer that was killed before it could commit reads again
// what the one before it has written, photo after photo that the index has already.
func (v victim) getOn(ctx context.Context, c command) {
	for start, tries := -1, 0; tries < 1800; tries++ {
		if n := v.count(ctx); n > start && start >= 0 {
			return
		} else if n >= 0 {
			start = n
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(c.config + "." + v.name() + ".log")
	c.t.Errorf("%s: nothing was written for three minutes; the indexer's log ends:\n%s", v.name(), log[max(len(log)-3000, 0):])
}
