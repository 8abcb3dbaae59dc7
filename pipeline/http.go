package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serveHTTP serves /metrics, /live, /ready and, if asked to, /debug/pprof until ctx ends; then it returns nil after the
// requests in progress were answered, or after a second. An empty listen address serves nothing. All of it is for the
// operator alone, so another address than the loopback's is refused (ErrConfig) unless AllowRemote is set, and said aloud.
func serveHTTP(ctx context.Context, c HTTPConfig, reg prometheus.Gatherer, h *Health, log *slog.Logger) error {
	if c.Listen == "" {
		<-ctx.Done()
		return nil
	}
	if err := c.checkListen(); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w: http.listen: %w; choose another port, or \"\" to serve nothing", ErrConfig, err)
	}
	if !c.local() {
		log.Warn("http can be reached from other machines, without tls or a password", "listen", listener.Addr().String(), "profiles", c.Profiles)
	}
	return serveOn(ctx, listener, handlerOf(c, reg, h))
}

// ServeHTTP is what the worker serves, for commands that live as long: metrics and probes until ctx ends.
func ServeHTTP(ctx context.Context, c HTTPConfig, reg prometheus.Gatherer, h *Health, log *slog.Logger) error {
	return serveHTTP(ctx, c, reg, h, log)
}

// serveOn answers on listener until ctx ends.
func serveOn(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // a profile that is being taken does not hold up the stop
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve http: %w", err)
	}
	return nil
}

func handlerOf(c HTTPConfig, reg prometheus.Gatherer, h *Health) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /live", probe(h.Live))
	mux.HandleFunc("GET /ready", probe(h.Ready))
	if c.Profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// probe answers 200 or 503, with the reason for a person beside the status for the machine.
func probe(ask func() (bool, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		ok, reason := ask()
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(struct { // the client may be gone; there is nobody else to tell
			OK     bool   `json:"ok"`
			Reason string `json:"reason,omitempty"`
		}{ok, reason})
	}
}

// checkListen refuses an address that others than this machine can reach. A host name is refused, too, unless it is
// localhost: what it resolves to tomorrow is not known today.
func (c HTTPConfig) checkListen() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("%w: http.listen is %q, which is not host:port, like 127.0.0.1:9600", ErrConfig, c.Listen)
	}
	if c.AllowRemote || c.local() {
		return nil
	}
	return fmt.Errorf("%w: http.listen %s can be reached from other machines, and asks nobody for a password; "+
		"use 127.0.0.1, or set http.allow_remote: true behind a firewall", ErrConfig, c.Listen)
}

// local tells whether only this machine can reach the address.
func (c HTTPConfig) local() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
