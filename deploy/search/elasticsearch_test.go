package search

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"planetag/deploy/realkafka"
	"planetag/pipeline"
	"planetag/pipeline/index/opensearch"
)

// create makes the index as --create does, but for the shape: the type geo_shape is not in the archive that the server comes in.
func (s *searchServer) create(ctx context.Context, t *testing.T) {
	t.Helper()
	if s.count(ctx) >= 0 {
		return
	}
	var design map[string]any
	if err := json.Unmarshal(opensearch.Design(), &design); err != nil {
		t.Fatal(err)
	}
	delete(design["mappings"].(map[string]any)["properties"].(map[string]any), "shape")
	template, err := json.Marshal(map[string]any{"index_patterns": []string{s.in}, "template": design, "priority": 500})
	if err != nil {
		t.Fatal(err)
	}
	s.request(ctx, t, http.MethodPut, "/_index_template/"+s.in, template, nil)
	s.request(ctx, t, http.MethodPut, "/"+s.in, nil, nil)
}

// behindKeys is a door before the server that opens to one API key, which the server itself cannot make.
func behindKeys(t *testing.T, es *realkafka.Elasticsearch, key string) (url, caFile string) {
	t.Helper()
	to, err := neturl.Parse(es.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = es.Client().Transport
	door := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "ApiKey "+key {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.SetBasicAuth("planetag", es.Password)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(door.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: door.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return door.URL, caFile
}

// byTheCommand is a configuration with secrets in files.
func byTheCommand(t *testing.T, w *world, es *realkafka.Elasticsearch, in string) command {
	t.Helper()
	dir := t.TempDir()
	c := command{t: t, binary: binary(t), config: filepath.Join(dir, "planetag.yaml")}
	text := fmt.Sprintf("kafka:\n  brokers: [%s]\ntopics:\n  partitions: 3\nhttp:\n  listen: \"\"\nindex:\n  opensearch:\n    addresses: [%s]\n    index: %s\n    username: planetag\n"+
		"    password_file: %s\n    tls:\n      enabled: true\n      ca_file: %s\n", w.cfg.Kafka.Brokers[0], es.URL, in, filepath.Join(dir, "password"), es.CAFile)
	for path, content := range map[string]string{c.config: text, filepath.Join(dir, "password"): es.Password} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestElasticsearch is everything that OpenSearch is asked, with a password and with an API key, over TLS, as a user who has the
// rights that docs/search.md lists and no others.
func TestElasticsearch(t *testing.T) {
	if os.Getenv("SEARCH_ELASTICSEARCH") == "" {
		t.Skip("`make test-elasticsearch` runs this")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	es := realkafka.StartElasticsearch(t)
	const key = "a2V5OnNlY3JldA=="
	keyed, keyedCA := behindKeys(t, es, key)
	tls := func(c *pipeline.OpenSearchConfig) { c.TLS.Enabled, c.TLS.CAFile = true, es.CAFile }
	password := func(c *pipeline.OpenSearchConfig) {
		tls(c)
		c.Username, c.Password = "planetag", pipeline.Secret(es.Password)
	}
	byKey := func(c *pipeline.OpenSearchConfig) {
		c.Addresses, c.TLS.Enabled, c.TLS.CAFile, c.APIKey = []string{keyed}, true, keyedCA, key
	}
	server := &searchServer{url: es.URL, in: "planetag-locations", secure: es, login: password}
	t.Run("questions", func(t *testing.T) { questions(ctx, t, []target{server}) })
	t.Run("retractions, with an API key", func(t *testing.T) {
		retractions(ctx, t, []target{&searchServer{url: es.URL, in: "planetag-retracted", secure: es, login: byKey}})
	})
	t.Run("writers at once", func(t *testing.T) { atOnce(ctx, t, []target{server}) })
	t.Run("stories, by the command", func(t *testing.T) {
		w, told := newWorld(t), *server
		told.in = "planetag-told"
		stories := newStories(t, w.cfg.Kafka.Brokers[0])
		stories.tell(ctx, 500)
		told.create(ctx, t)
		f := byTheCommand(t, w, es, told.in).once(ctx, "elasticsearch")
		docs := told.all(ctx, t)
		list := stories.differences(docs)
		for _, d := range list[:min(len(list), 5)] {
			t.Error(d)
		}
		t.Logf("%d records of %d photos, %d documents checked, differences %d; %+v", stories.records, stories.photos, len(docs), len(list), f)
	})
	t.Run("who may not", func(t *testing.T) {
		for _, row := range []struct {
			name, index string
			login       func(*pipeline.OpenSearchConfig)
			is          error
			says        string
		}{
			{"nobody's password", "planetag-locations", func(c *pipeline.OpenSearchConfig) { password(c); c.Password = "guessed" }, pipeline.ErrConfig, "is not accepted"},
			{"nobody's key", "planetag-locations", func(c *pipeline.OpenSearchConfig) { byKey(c); c.APIKey = "Z3Vlc3M6ZWQ=" }, pipeline.ErrConfig, "is not accepted"},
			{"nobody", "planetag-locations", tls, pipeline.ErrConfig, "is not accepted"},
			{"a user without rights", "planetag-locations", func(c *pipeline.OpenSearchConfig) { password(c); c.Username = "guest" }, pipeline.ErrConfig, "a right is missing"},
			{"a stranger's certificate", "planetag-locations", func(c *pipeline.OpenSearchConfig) { password(c); c.TLS.CAFile = "" }, opensearch.ErrUnavailable, "certificate"},
			{"the whole design", "planetag-whole", password, nil, "geo_shape"},
		} {
			cfg := pipeline.DefaultConfig().Index
			cfg.OpenSearch.Addresses, cfg.OpenSearch.Index = []string{es.URL}, row.index
			row.login(&cfg.OpenSearch)
			x, err := opensearch.Open(ctx, cfg, true)
			if err == nil {
				x.Close()
			}
			if err == nil || row.is != nil && !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: %v\nwant it to be %v and to say %q", row.name, err, row.is, row.says)
			}
		}
	})
}
