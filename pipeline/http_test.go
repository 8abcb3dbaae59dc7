package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

// servingHTTP starts serveOn on a free port and returns its URL and a function that ends it.
func servingHTTP(t *testing.T, reg *prometheus.Registry, h *Health) (url string, stop func() error) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveOn(ctx, listener, handlerOf(HTTPConfig{Profiles: true}, reg, h)) }()
	return "http://" + listener.Addr().String(), func() error {
		cancel()
		return <-ended
	}
}

// get returns the status and the body of a GET.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestProbesAndMetrics(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	reg, h := prometheus.NewRegistry(), NewHealth(time.Minute)
	NewMetrics(reg).Photo(StatusEstimated)
	url, stop := servingHTTP(t, reg, h)

	expect := func(path string, status int, ok bool, reason string) {
		t.Helper()
		code, body := get(t, url+path)
		var answer struct {
			OK     bool
			Reason string
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || code != status || answer.OK != ok || answer.Reason != reason {
			t.Errorf("%s answers %d %s, %v; want %d with %v and %q", path, code, body, err, status, ok, reason)
		}
	}
	expect("/live", 200, true, "")
	expect("/ready", 503, false, "starting")
	h.SetReady(true, "")
	expect("/ready", 200, true, "")
	h.SetReady(false, "stopping")
	expect("/ready", 503, false, "stopping")

	if code, body := get(t, url+"/metrics"); code != 200 || !strings.Contains(body, `planetag_photos_total{status="estimated"} 1`) {
		t.Errorf("/metrics answers %d", code)
	}
	if code, body := get(t, url+"/debug/pprof/goroutine?debug=1"); code != 200 || !strings.Contains(body, "serveOn") {
		t.Errorf("/debug/pprof/goroutine answers %d", code)
	}
	if code, _ := get(t, url+"/"); code != 404 {
		t.Errorf("/ answers %d", code)
	}
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://")); err == nil {
		t.Error("somebody still listens")
	}
}

func TestServeHTTPDoesNotWaitForAProfile(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	url, stop := servingHTTP(t, prometheus.NewRegistry(), NewHealth(0))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/debug/pprof/trace?seconds=60", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{}).RoundTrip(request) // returns with the first bytes of the trace
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	started := time.Now()
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err == nil || time.Since(started) > 10*time.Second {
		t.Errorf("the trace ended after %s with %v, want it cut off", time.Since(started), err)
	}
}

func TestServeHTTPRefusesToBeReachable(t *testing.T) {
	reg, h := prometheus.NewRegistry(), NewHealth(0)
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:0", "127.0.0.1"} {
		err := serveHTTP(t.Context(), HTTPConfig{Listen: listen}, reg, h, slog.New(slog.DiscardHandler))
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "http.listen") {
			t.Errorf("listening on %s: %v, want a refusal", listen, err)
		}
	}
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := serveHTTP(t.Context(), HTTPConfig{Listen: taken.Addr().String()}, reg, h, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "another port") {
		t.Errorf("a port that is taken: %v", err)
	}
}

func TestServeHTTPMayServeNothing(t *testing.T) {
	for _, c := range []HTTPConfig{{}, {Listen: "127.0.0.1:0"}, {Listen: "localhost:0"}, {Listen: ":0", AllowRemote: true}} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if err := serveHTTP(ctx, c, prometheus.NewRegistry(), NewHealth(0), slog.New(slog.DiscardHandler)); err != nil || ctx.Err() == nil {
			t.Errorf("%+v ended with %v before its context", c, err)
		}
		cancel()
	}
}
