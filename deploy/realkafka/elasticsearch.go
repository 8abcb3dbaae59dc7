package realkafka

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"planetag/deploy/secrets"
)

// Elasticsearch is one node of Elasticsearch that lets nobody in without TLS and a password. (It cannot make API keys: the index that it
// keeps them in needs a module that its archive for tests has not got.)
type Elasticsearch struct {
	URL    string // https://127.0.0.1:port
	CAFile string // of the authority that signed the node's certificate
	// Password is that of the users "admin", who may do everything, "planetag", who may what the roles file says, and "guest", who
	// may nothing.
	Password string

	t       testing.TB
	ca      *authority
	process *process
}

// elasticsearchRole is the role of the user planetag; docs/search.md lists these rights.
const elasticsearchRole = `planetag:
  cluster: [manage_index_templates]
  indices:
    - names: ["*"]
      privileges: [create_index, index, read, view_index_metadata]
guest: {}
`

// StartElasticsearch starts a node without any index and returns when it answers. It is stopped when the test ends.
func StartElasticsearch(t testing.TB) *Elasticsearch {
	t.Helper()
	java, home := findJava(t), filepath.Join(Root(t), ".deps", "elasticsearch")
	if _, err := os.Stat(filepath.Join(home, "lib")); err != nil {
		Missing(t, "Elasticsearch is not installed; `make test-elasticsearch` gets it")
	}
	dir := ordinaryDir(t, "elasticsearch")
	mounted(t, dir)
	own, port := filepath.Join(dir, "home"), freePorts(t, 2)
	if err := os.CopyFS(own, os.DirFS(home)); err != nil {
		t.Fatalf("copy Elasticsearch: %v", err)
	}
	e := &Elasticsearch{t: t, URL: fmt.Sprintf("https://127.0.0.1:%d", port[0]), CAFile: filepath.Join(dir, "ca.pem"), Password: secrets.Of("elasticsearch"), ca: newAuthority(t)}
	e.configure(dir, own)
	give(t, dir)
	argv := []string{
		"/usr/bin/env", "ES_JAVA_HOME=" + filepath.Dir(filepath.Dir(java)), "ES_JAVA_OPTS=-Xms512m -Xmx512m -XX:TieredStopAtLevel=1", "ES_TMPDIR=" + filepath.Join(dir, "tmp"),
		filepath.Join(own, "bin", "elasticsearch"),
		"-Ehttp.host=127.0.0.1", fmt.Sprintf("-Ehttp.port=%d", port[0]), "-Etransport.host=127.0.0.1", fmt.Sprintf("-Etransport.port=%d", port[1]),
		"-Ediscovery.type=single-node", "-Ecluster.routing.allocation.disk.threshold_enabled=false",
		"-Epath.data=" + filepath.Join(dir, "data"), "-Epath.logs=" + filepath.Join(dir, "logs"),
		"-Expack.security.enabled=true", "-Expack.security.http.ssl.enabled=true",
		"-Expack.security.http.ssl.key=server.key", "-Expack.security.http.ssl.certificate=server.pem",
	}
	var err error
	if e.process, err = startOrdinary(ordinaryUser(t), "Elasticsearch", filepath.Join(dir, "elasticsearch.log"), argv...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	if err := e.process.await(5*time.Minute, e.healthy); err != nil {
		t.Fatal(err)
	}
	secrets.WatchFile(t, filepath.Join(dir, "elasticsearch.log"))
	return e
}

// configure writes certificates, users and roles.
func (e *Elasticsearch) configure(dir, own string) {
	e.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(e.Password), bcrypt.MinCost)
	if err != nil {
		e.t.Fatalf("hash a password: %v", err)
	}
	secret, certificate := e.ca.pair(e.t, "127.0.0.1", valid())
	users := strings.ReplaceAll("admin:H\nplanetag:H\nguest:H\n", "H", string(hash))
	for path, content := range map[string][]byte{
		e.CAFile: e.ca.certificatePEM(), filepath.Join(own, "config", "server.key"): secret, filepath.Join(own, "config", "server.pem"): certificate,
		filepath.Join(own, "config", "users"):       []byte(users),
		filepath.Join(own, "config", "users_roles"): []byte("superuser:admin\nplanetag:planetag\nguest:guest\n"),
		filepath.Join(own, "config", "roles.yml"):   []byte(elasticsearchRole),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			e.t.Fatalf("configure Elasticsearch: %v", err)
		}
	}
	for _, name := range []string{"data", "logs", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			e.t.Fatalf("make Elasticsearch's directories: %v", err)
		}
	}
}

// Client trusts the node.
func (e *Elasticsearch) Client() *http.Client {
	return &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: e.ca.pool()}},
	}
}

func (e *Elasticsearch) healthy() error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, e.URL+"/_cluster/health?wait_for_status=green&timeout=5s", nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth("admin", e.Password)
	answer, err := e.Client().Do(req)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", answer.Status)
	}
	return nil
}

// stop asks the launcher, which ends the node that it started.
func (e *Elasticsearch) stop() {
	e.process.terminate(30 * time.Second)
	if e.t.Failed() {
		e.t.Logf("Elasticsearch's log ends:\n%s", e.process.tail())
	}
}
