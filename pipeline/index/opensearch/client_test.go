package opensearch

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planetag/pipeline"
	"planetag/pipeline/index"
)

// server answers as OpenSearch does, with one status for each document, by its id.
type server struct {
	http.Handler
	items   map[string]int
	status  int // of every request; 0 = 200
	most    int // documents in a bulk
	asked   []string
	headers http.Header
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked, s.headers = append(s.asked, r.Method+" "+r.URL.Path), r.Header
	body, _ := io.ReadAll(r.Body)
	switch lines := bytes.Split(bytes.TrimSpace(body), []byte("\n")); {
	case s.status != 0:
		w.WriteHeader(s.status)
	case strings.HasSuffix(r.URL.Path, "/_mapping"):
		fmt.Fprintf(w, `{"x": {"mappings": %s}}`, mappings())
	case r.URL.Path == bulkPath && s.most > 0 && len(lines)/2 > s.most:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case r.URL.Path == bulkPath:
		var items []any
		for i := 0; i < len(lines); i += 2 {
			var a action
			if err := json.Unmarshal(lines[i], &a); err != nil || a.Index.VersionType != "external" || a.Index.Index != "planetag-locations" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			one := map[string]any{"status": 201}
			if status := s.items[a.Index.ID]; status != 0 {
				one = map[string]any{"status": status, "error": map[string]string{"type": "for a reason"}}
			}
			items = append(items, map[string]any{"index": one})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": true, "items": items})
	}
}

func mappings() json.RawMessage {
	var d struct {
		Mappings json.RawMessage `json:"mappings"`
	}
	_ = json.Unmarshal(design, &d) // other tests read it
	return d.Mappings
}

func open(t *testing.T, s *httptest.Server, change func(*pipeline.OpenSearchConfig)) (*Index, error) {
	t.Helper()
	c := pipeline.DefaultConfig().Index.OpenSearch
	c.Addresses = []string{s.URL}
	if change != nil {
		change(&c)
	}
	x, err := Open(t.Context(), pipeline.IndexConfig{OpenSearch: c, Shape: "circle"}, false)
	if err == nil {
		t.Cleanup(x.Close)
	}
	return x, err
}

func TestEachDocumentHasItsOutcome(t *testing.T) {
	long := strings.Repeat("x", 513)
	s := &server{items: map[string]int{"older": 409, "poison": 400, "full": 429, "away": 503, id(long): 409}}
	h := httptest.NewServer(s)
	defer h.Close()
	x, err := open(t, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]index.Result{"new": index.Written, "older": index.Newer, "poison": index.Refused, "full": index.Busy, "away": index.Busy, long: index.Newer}
	for _, most := range []int{0, 1} { // all at once, and halved until a request is small enough
		s.most = most
		var docs []*index.Document
		for photoID := range want {
			docs = append(docs, &index.Document{PhotoID: photoID})
		}
		outcomes, err := x.Write(t.Context(), docs)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range outcomes {
			if o.Result != want[docs[i].PhotoID] || (o.Err == nil) != (o.Result == index.Written || o.Result == index.Newer) {
				t.Errorf("%.10s: %+v", docs[i].PhotoID, o)
			}
		}
	}
}

func TestARefusedRequestSaysWhoMustAct(t *testing.T) {
	s := &server{}
	h := httptest.NewServer(s)
	defer h.Close()
	x, err := open(t, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	for status, stops := range map[int]bool{401: true, 403: true, 429: false, 500: false, 502: false, 503: false} {
		s.status = status
		_, err := x.Write(t.Context(), []*index.Document{{PhotoID: "1"}})
		if err == nil || errors.Is(err, pipeline.ErrConfig) != stops || errors.Is(err, ErrUnavailable) == stops {
			t.Errorf("status %d: %v", status, err)
		}
		if got := pipeline.Judge(err) == pipeline.Stop; got != stops {
			t.Errorf("status %d is judged %s", status, pipeline.Judge(err))
		}
	}
}

func TestCredentialsAndTLS(t *testing.T) {
	s := &server{}
	h := httptest.NewTLSServer(s)
	defer h.Close()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})))
	trusted := func(c *pipeline.OpenSearchConfig) { c.TLS = pipeline.TLSConfig{Enabled: true, CAFile: ca} }
	if _, err := open(t, h, nil); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("a server that nobody knows: %v", err)
	}
	for _, row := range []struct {
		name, header string
		change       func(*pipeline.OpenSearchConfig)
	}{
		{"nobody", "", func(*pipeline.OpenSearchConfig) {}},
		{"a key", "ApiKey a2V5", func(c *pipeline.OpenSearchConfig) { c.APIKeyFile = file("key", "a2V5\n") }},
		{"a user", "Basic dXNlcjpwdw==", func(c *pipeline.OpenSearchConfig) { c.Username, c.PasswordFile = "user", file("password", "pw\n") }},
	} {
		if _, err := open(t, h, func(c *pipeline.OpenSearchConfig) { trusted(c); row.change(c) }); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if got := s.headers.Get("Authorization"); got != row.header {
			t.Errorf("%s: the server was told %q, want %q", row.name, got, row.header)
		}
	}
}
