package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// Server is a Proxy that is served on the loopback.
type Server struct {
	*Proxy
	http      *http.Server
	transport *http.Transport
	url       string
	ended     chan error
}

// Start serves a proxy on a free port of 127.0.0.1, in front of the store at target, such as "http://127.0.0.1:9000",
// until Close. The store sees the host name that the client has signed.
func Start(target string, plan Plan) (*Server, error) {
	to, err := url.Parse(target)
	if err != nil || to.Host == "" {
		return nil, fmt.Errorf("start faults: the store's address is %q; write it like http://127.0.0.1:9000", target)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start faults: %w", err)
	}
	silence := log.New(io.Discard, "", 0) // what breaks here breaks by plan
	s := &Server{
		transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
		url:       "http://" + listener.Addr().String(), ended: make(chan error, 1),
	}
	s.Proxy = New(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		Transport: s.transport, ErrorLog: silence,
	}, plan)
	s.http = &http.Server{Handler: s.Proxy, ReadHeaderTimeout: 10 * time.Second, ErrorLog: silence}
	go func() { s.ended <- s.http.Serve(listener) }() // awaited by Close
	return s, nil
}

// URL is where the proxy is served, such as "http://127.0.0.1:9001".
func (s *Server) URL() string { return s.url }

// Close ends the proxy and every connection through it.
func (s *Server) Close() error {
	err := s.http.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	s.ended <- http.ErrServerClosed // so that Close may be called again
	s.transport.CloseIdleConnections()
	return err
}
