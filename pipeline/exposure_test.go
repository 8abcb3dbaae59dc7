package pipeline

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestTheDefaultIsReachedFromThisMachineOnly(t *testing.T) {
	c := DefaultConfig().HTTP
	host, _, err := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() || c.AllowRemote || c.Profiles {
		t.Errorf("the default is %+v", c)
	}
}

// TestOnlyALoopbackAddressIsServedInSilence listens for real, because what a setting means is seen on the socket.
func TestOnlyALoopbackAddressIsServedInSilence(t *testing.T) {
	for _, row := range []struct {
		c     HTTPConfig
		warns bool
	}{
		{HTTPConfig{Listen: "127.0.0.1:0"}, false},
		{HTTPConfig{Listen: "127.0.0.1:0", AllowRemote: true}, false},
		{HTTPConfig{Listen: "localhost:0"}, false},
		{HTTPConfig{Listen: "0.0.0.0:0", AllowRemote: true}, true},
		{HTTPConfig{Listen: ":0", AllowRemote: true, Profiles: true}, true},
	} {
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := serveHTTP(ctx, row.c, prometheus.NewRegistry(), NewHealth(0), slog.New(slog.NewTextHandler(&log, nil)))
		cancel()
		warned := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), "can be reached from other machines")
		if err != nil || warned != row.warns {
			t.Errorf("%+v: %v, warned %v, want %v:\n%s", row.c, err, warned, row.warns, log.String())
		}
	}
}

func TestProfilesAreServedOnlyWhenAskedFor(t *testing.T) {
	for _, asked := range []bool{false, true} {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- serveOn(ctx, listener, handlerOf(HTTPConfig{Profiles: asked}, prometheus.NewRegistry(), NewHealth(0)))
		}()
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/debug/pprof/heap", "/debug/pprof/trace?seconds=0"} {
			code, _ := get(t, "http://"+listener.Addr().String()+path)
			if (code == 404) == asked && path != "/debug/pprof/cmdline" || code == 200 && !asked {
				t.Errorf("profiles %v: %s answers %d", asked, path, code)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
