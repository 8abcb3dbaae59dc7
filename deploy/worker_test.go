package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
)

// buildBinary brings bin/planetag up to date as `make build` does and returns its path.
func buildBinary(t *testing.T) string {
	t.Helper()
	root := realkafka.Root(t)
	cmd := exec.CommandContext(t.Context(), "make", "-s", "build")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "MAKEFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	return filepath.Join(root, "bin", "planetag")
}

// worker is `planetag run` as a process of its own, that can be killed and started again.
type worker struct {
	t      *testing.T
	binary string
	config string
	health string // URL of /ready
	log    string
	cmd    *exec.Cmd
}

// settings makes everything happen within seconds, and in many small transactions, so that a kill meets work of every kind half done.
const settings = `kafka:
  brokers: [%s]
  group: end-to-end
  session_timeout: 6s
  transaction_timeout: 15s
topics:
  partitions: 3
s3:
  endpoint: %s
  access_key: %s
  secret_key: %s
  bucket: %s
  gone_grace: 1s
photos:
  in_flight: 6
  flush_records: 4
albums:
  idle: 3s
  linger: 30s
http:
  listen: %s
log:
  format: json
`

func newWorker(t *testing.T, k *realkafka.Kafka, v *realkafka.Versity) *worker {
	t.Helper()
	address, dir := realkafka.FreeAddress(t), t.TempDir()
	w := &worker{
		t: t, binary: buildBinary(t), config: filepath.Join(dir, "planetag.yaml"), log: filepath.Join(dir, "worker.log"),
		health: "http://" + address + "/ready",
	}
	text := fmt.Sprintf(settings, k.Addr(), v.URL, v.AccessKey, v.SecretKey, bucket, address)
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets.WatchFile(t, w.log)
	t.Cleanup(func() {
		if w.cmd != nil {
			w.kill9()
		}
		if t.Failed() {
			t.Logf("the worker's log ends:\n%s", w.tail())
		}
	})
	return w
}

// environment is the test's without planetag's own variables: the binary must find the library and the bundle by itself.
func environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "PLANETAG_") {
			env = append(env, pair)
		}
	}
	return env
}

// start starts the worker and returns when it says that it is ready.
func (w *worker) start(ctx context.Context) {
	w.t.Helper()
	file, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	w.cmd = exec.Command(w.binary, "run", "--config", w.config)
	w.cmd.Stdout, w.cmd.Stderr, w.cmd.Env = file, file, environment()
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	for {
		if out, err := exec.CommandContext(ctx, w.binary, "health", "--url", w.health).CombinedOutput(); err == nil {
			return
		} else if ctx.Err() != nil || w.cmd.Process.Signal(syscall.Signal(0)) != nil {
			w.t.Fatalf("the worker did not become ready: %v\n%s", err, out)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// kill9 ends the worker without warning: nothing of its memory survives.
func (w *worker) kill9() {
	_ = w.cmd.Process.Kill() // it may have ended by itself
	_ = w.cmd.Wait()         // and a killed process is no error here
	w.cmd = nil
}

// stop asks the worker to end, as a service manager does, and wants it to end in order.
func (w *worker) stop() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Errorf("stop the worker: %v", err)
	}
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("the worker did not end in order: %v", err)
	}
	w.cmd = nil
}

func (w *worker) tail() string {
	text, err := os.ReadFile(w.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-40):], []byte("\n")))
}
