package realkafka

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// OpenSearch is one node of OpenSearch 2.19, run by Java from its own jars.
type OpenSearch struct {
	URL string // http://127.0.0.1:port; it stays the same over restarts

	t       testing.TB
	dir     string
	argv    []string
	process *process
}

// StartOpenSearch starts a node without any index and returns when it answers. It is stopped when the test ends.
func StartOpenSearch(t testing.TB) *OpenSearch {
	t.Helper()
	java, home := findJava(t), filepath.Join(Root(t), ".deps", "opensearch")
	if _, err := os.Stat(filepath.Join(home, "lib")); err != nil {
		Missing(t, "OpenSearch is not installed; `make setup-test` gets it")
	}
	o := &OpenSearch{t: t, dir: ordinaryDir(t, "opensearch")}
	mounted(t, o.dir)
	own := filepath.Join(o.dir, "home") // its parts may lie where the ordinary user must not look
	if err := os.CopyFS(own, os.DirFS(home)); err != nil {
		t.Fatalf("copy OpenSearch: %v", err)
	}
	for _, name := range []string{"data", "logs", "tmp"} {
		if err := os.Mkdir(filepath.Join(o.dir, name), 0o700); err != nil {
			t.Fatalf("make OpenSearch's directories: %v", err)
		}
	}
	give(t, o.dir)
	ports := freePorts(t, 2)
	o.URL = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	// Without its launcher, which starts two more JVMs first. What is not for safety is for a fast start.
	o.argv = []string{
		java, "-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.security.manager=allow", "-Djava.awt.headless=true", "-Dlog4j2.disable.jmx=true",
		"-Dlog4j.shutdownHookEnabled=false", "-Djava.io.tmpdir=" + filepath.Join(o.dir, "tmp"),
		"-Dopensearch.path.home=" + own, "-Dopensearch.path.conf=" + filepath.Join(own, "config"), "-Dopensearch.distribution.type=zip",
		"-cp", filepath.Join(own, "lib", "*"), "org.opensearch.bootstrap.OpenSearch",
		"-Ehttp.host=127.0.0.1", fmt.Sprintf("-Ehttp.port=%d", ports[0]), "-Etransport.host=127.0.0.1", fmt.Sprintf("-Etransport.port=%d", ports[1]),
		"-Ediscovery.type=single-node", "-Ecluster.routing.allocation.disk.threshold_enabled=false",
		// The serial collector leaves garbage lying until the heap is full; the server would take it for use and refuse requests.
		"-Eindices.breaker.total.use_real_memory=false",
		"-Epath.data=" + filepath.Join(o.dir, "data"), "-Epath.logs=" + filepath.Join(o.dir, "logs"),
	}
	t.Cleanup(o.stop)
	o.Restart()
	return o
}

// Kill9 ends the node without warning.
func (o *OpenSearch) Kill9() { o.process.kill9() }

// Restart starts a node that was killed, on the same port and data, and returns when its shards can be written.
func (o *OpenSearch) Restart() {
	o.t.Helper()
	var err error
	if o.process, err = startOrdinary(ordinaryUser(o.t), "OpenSearch", filepath.Join(o.dir, "opensearch.log"), o.argv...); err != nil {
		o.t.Fatal(err)
	}
	if err := o.process.await(3*time.Minute, o.healthy); err != nil {
		o.t.Fatal(err)
	}
}

func (o *OpenSearch) healthy() error {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(o.URL + "/_cluster/health?wait_for_status=yellow&timeout=5s") //nolint:noctx // bounded by its own time
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", answer.Status)
	}
	return nil
}

func (o *OpenSearch) stop() {
	if o.process == nil {
		return
	}
	o.process.kill9() // its data go with the test
	if o.t.Failed() {
		o.t.Logf("OpenSearch's log ends:\n%s", o.process.tail())
	}
}
