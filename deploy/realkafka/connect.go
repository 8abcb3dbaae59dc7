package realkafka

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Connect is one Kafka Connect 4.3 worker, standalone, with Debezium's JDBC sink at hand.
type Connect struct {
	t       testing.TB
	dir     string
	url     string // of its REST interface
	argv    []string
	process *process
}

// errFailed says that a task of a connector has failed for good.
var errFailed = errors.New("a task of the connector failed")

// StartConnect starts a worker with the settings of the file worker and the one connector of the file connector, both as they are but for the listener and
// the worker's own directories, and returns when the connector's tasks run. env is what the files take from the environment, NAME=value. It is stopped when the test ends.
// `make test-connect` installs what it runs.
func StartConnect(t testing.TB, worker, connector string, env ...string) *Connect {
	t.Helper()
	home := ConnectHome(t)
	if _, err := os.Stat(filepath.Join(home, "worker")); err != nil {
		Missing(t, "Kafka Connect is not installed; deploy/setup/connect.sh gets it")
	}
	settings, err := os.ReadFile(worker)
	if err != nil {
		t.Fatalf("read the worker's settings: %v", err)
	}
	c := &Connect{t: t, dir: t.TempDir(), url: "http://" + FreeAddress(t)}
	own := filepath.Join(c.dir, "worker.properties")
	// A worker that was killed is missed by its group after the session's time.
	settings = fmt.Appendf(settings, "\nconsumer.session.timeout.ms=6000\nconsumer.heartbeat.interval.ms=1000\nlisteners=%s\nplugin.path=%s\nplugin.discovery=service_load\noffset.storage.file.filename=%s\noffset.flush.interval.ms=1000\n",
		c.url, filepath.Join(home, "plugins"), filepath.Join(c.dir, "offsets"))
	if err := os.WriteFile(own, settings, 0o600); err != nil {
		t.Fatalf("write the worker's settings: %v", err)
	}
	c.argv = append(append([]string{"env"}, env...),
		findJava(t), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-cp", filepath.Join(home, "worker", "*"), "org.apache.kafka.connect.cli.ConnectStandalone", own, connector)
	t.Cleanup(c.stop)
	c.Restart()
	return c
}

// ConnectHome is where deploy/setup/connect.sh puts the worker and its plug-ins: .deps/connect, or below PLANETAG_DEPS.
func ConnectHome(t testing.TB) string {
	t.Helper()
	if deps := os.Getenv("PLANETAG_DEPS"); deps != "" {
		return filepath.Join(deps, "connect")
	}
	return filepath.Join(Root(t), ".deps", "connect")
}

// Kill9 ends the worker without warning.
func (c *Connect) Kill9() { c.process.kill9() }

// Restart starts a worker that was killed and returns when its connector's tasks run.
func (c *Connect) Restart() {
	c.t.Helper()
	var err error
	if c.process, err = startProcess("Kafka Connect", filepath.Join(c.dir, "connect.log"), c.argv...); err != nil {
		c.t.Fatal(err)
	}
	err = c.process.await(3*time.Minute, func() error {
		err := c.Running()
		if errors.Is(err, errFailed) {
			c.t.Fatal(err)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// Running returns nil when every task of the connector runs, or what is known otherwise; a task that failed tells why.
func (c *Connect) Running() error {
	states, trace, err := c.tasks()
	switch {
	case err != nil:
		return err
	case states["FAILED"] > 0:
		return fmt.Errorf("%w: %s", errFailed, trace)
	case states["RUNNING"] == 0 || len(states) > 1:
		return fmt.Errorf("tasks are %v", states)
	}
	return nil
}

// Failed says whether every task of the connector has failed.
func (c *Connect) Failed() bool {
	states, _, err := c.tasks()
	return err == nil && states["FAILED"] > 0 && len(states) == 1
}

// tasks counts the tasks by their states; trace is what one says that failed.
func (c *Connect) tasks() (states map[string]int, trace string, err error) {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(c.url + "/connectors?expand=status") //nolint:noctx // bounded by its own time
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	var connectors map[string]struct {
		Status struct {
			Tasks []struct{ State, Trace string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&connectors); err != nil {
		return nil, "", fmt.Errorf("read the state of the connectors: %w", err)
	}
	states = make(map[string]int)
	for _, connector := range connectors {
		for _, task := range connector.Status.Tasks {
			states[task.State]++
			trace = cmp.Or(task.Trace, trace)
		}
	}
	return states, trace, nil
}

// RestartTasks starts the connector's failed tasks anew, as its REST interface does, and returns when all run.
func (c *Connect) RestartTasks(connector string) {
	c.t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Post(c.url+"/connectors/"+connector+"/restart?includeTasks=true&onlyFailed=true", "application/json", nil) //nolint:noctx // bounded by its own time
	if err != nil {
		c.t.Fatalf("restart the connector %s: %v", connector, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		c.t.Fatalf("restart the connector %s: status %s", connector, answer.Status)
	}
	if err := c.process.await(time.Minute, c.Running); err != nil {
		c.t.Fatalf("the tasks of %s do not run: %v", connector, err)
	}
}

func (c *Connect) stop() {
	if c.process == nil {
		return
	}
	c.process.terminate(10 * time.Second)
	if c.t.Failed() {
		c.t.Logf("Kafka Connect's log ends:\n%s", c.process.tail())
	}
}
