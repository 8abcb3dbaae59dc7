package devstore

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Credentials for those who must present some. Every other pair is as good, unless Options.AccessKey is set.
const (
	AccessKey = "planetag"
	SecretKey = "planetag-loopback-only"
)

// Options say what to start. The zero value is an empty store on a free port that accepts everybody.
type Options struct {
	Port      int      // 0 = a free one
	Buckets   []string // made at the start
	Versioned bool     // the buckets of Buckets keep versions
	AccessKey string   // when set, requests that are not signed for it are refused; the signature itself is not verified
	// Hook sees each request first, on the request's own goroutine; true means that it has answered. It is how tests make
	// the store fail.
	Hook func(w http.ResponseWriter, r *http.Request) bool
}

// Server is a running store.
type Server struct {
	http  *http.Server
	url   string
	ended chan error
}

// Start serves a store on 127.0.0.1 until Close.
func Start(o Options) (*Server, error) {
	backend := s3mem.New()
	for _, bucket := range o.Buckets {
		if err := backend.CreateBucket(bucket); err != nil {
			return nil, fmt.Errorf("make bucket %s: %w", bucket, err)
		}
		if !o.Versioned {
			continue
		}
		err := backend.SetVersioningConfiguration(bucket, gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled})
		if err != nil {
			return nil, fmt.Errorf("keep versions of bucket %s: %w", bucket, err)
		}
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port))
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start store: %w", err)
	}
	s := &Server{
		http:  &http.Server{Handler: o.handler(backend), ReadHeaderTimeout: 10 * time.Second},
		url:   "http://" + listener.Addr().String(),
		ended: make(chan error, 1),
	}
	go func() { s.ended <- s.http.Serve(listener) }() // awaited by Close
	return s, nil
}

// URL is the endpoint, such as "http://127.0.0.1:9000".
func (s *Server) URL() string { return s.url }

// Close ends the store and every connection to it, and waits until it has ended.
func (s *Server) Close() error {
	err := s.http.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	s.ended <- http.ErrServerClosed // so that Close may be called again
	return err
}

// handler asks the hook, then the credentials, then the preconditions that gofakes3 does not know, then gofakes3.
func (o Options) handler(backend gofakes3.Backend) http.Handler {
	store := gofakes3.New(backend).Server()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.Hook != nil && o.Hook(w, r):
		case !o.known(r):
			refuse(w, http.StatusForbidden, "InvalidAccessKeyId", "The access key Id you provided does not exist in our records.")
		case changed(backend, r):
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
		default:
			store.ServeHTTP(w, r)
		}
	})
}

func (o Options) known(r *http.Request) bool {
	return o.AccessKey == "" || strings.Contains(r.Header.Get("Authorization"), "Credential="+o.AccessKey+"/")
}

// changed says whether a GET has an If-Match that the current object does not meet.
func changed(backend gofakes3.Backend, r *http.Request) bool {
	want := strings.Trim(r.Header.Get("If-Match"), `"`)
	if want == "" || r.Method != http.MethodGet || r.URL.Query().Has("versionId") {
		return false
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	object, err := backend.HeadObject(bucket, key)
	if err != nil { // gofakes3 says what is wrong
		return false
	}
	defer object.Contents.Close()
	return fmt.Sprintf("%x", object.Hash) != want
}

// refuse answers as S3 does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct { // the client may be gone; there is nobody else to tell
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: message})
}
