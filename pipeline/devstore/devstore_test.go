package devstore

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask sends a request and returns the status and the body.
func ask(t *testing.T, method, url, body string, headers map[string]string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range headers {
		request.Header.Set(key, value)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// start runs a store for the length of a test.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 { // closing twice is no mistake
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

func TestStoreKeepsObjects(t *testing.T) {
	s := start(t, Options{Buckets: []string{"images"}})
	object := s.URL() + "/images/album%207/my%20photo%2B1.jpg"
	if status, text := ask(t, "PUT", object, "hello", nil); status != 200 {
		t.Fatalf("put: %d %s", status, text)
	}
	const etag = "5d41402abc4b2a76b9719d911017c592" // MD5 of hello
	for _, row := range []struct {
		name, method, url, match string
		status                   int
		says                     string
	}{
		{"what was put", "GET", object, "", 200, "hello"},
		{"the etag that it has", "GET", object, `"` + etag + `"`, 200, "hello"},
		{"another etag", "GET", object, `"0123"`, 412, "PreconditionFailed"},
		{"an object that is not there", "GET", s.URL() + "/images/none.jpg", "", 404, "NoSuchKey"},
		{"… with an etag", "GET", s.URL() + "/images/none.jpg", `"0123"`, 404, "NoSuchKey"},
		{"a bucket that is not there", "GET", s.URL() + "/other/none.jpg", "", 404, "NoSuchBucket"},
	} {
		headers := map[string]string{}
		if row.match != "" {
			headers["If-Match"] = row.match
		}
		if status, text := ask(t, row.method, row.url, "", headers); status != row.status || !strings.Contains(text, row.says) {
			t.Errorf("%s: %d %s, want %d %s", row.name, status, text, row.status, row.says)
		}
	}
}

func TestStoreRefusesStrangers(t *testing.T) {
	s := start(t, Options{Buckets: []string{"images"}, AccessKey: "key"})
	for _, signed := range []string{"", "AWS4-HMAC-SHA256 Credential=keys/2026/us-east-1/s3/aws4_request"} {
		if status, text := ask(t, "GET", s.URL()+"/images", "", map[string]string{"Authorization": signed}); status != 403 || !strings.Contains(text, "InvalidAccessKeyId") {
			t.Errorf("signed %q: %d %s", signed, status, text)
		}
	}
	signed := "AWS4-HMAC-SHA256 Credential=key/2026/us-east-1/s3/aws4_request"
	if status, text := ask(t, "GET", s.URL()+"/images", "", map[string]string{"Authorization": signed}); status != 200 {
		t.Errorf("signed %q: %d %s", signed, status, text)
	}
}

func TestHookComesFirst(t *testing.T) {
	var seen []string
	s := start(t, Options{Buckets: []string{"images"}, Hook: func(w http.ResponseWriter, r *http.Request) bool {
		seen = append(seen, r.URL.Path)
		if r.URL.Path == "/images/slow" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}})
	if status, _ := ask(t, "GET", s.URL()+"/images/slow", "", nil); status != 503 {
		t.Errorf("the hook's answer is %d", status)
	}
	if status, _ := ask(t, "GET", s.URL()+"/images/other", "", nil); status != 404 {
		t.Errorf("what the hook leaves alone is answered by %d", status)
	}
	if len(seen) != 2 {
		t.Errorf("the hook saw %v", seen)
	}
}

func TestStartSaysWhy(t *testing.T) {
	s := start(t, Options{})
	if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("the store is at %s, not on the loopback alone", s.URL())
	}
	for name, o := range map[string]Options{
		"a bucket twice":        {Buckets: []string{"images", "images"}},
		"a port that cannot be": {Port: 1 << 20},
	} {
		if other, err := Start(o); err == nil {
			t.Errorf("%s: started at %s", name, other.URL())
		}
	}
}
