package faults

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// refusals are the status and the code of the kinds that answer in the words of S3, or the status alone.
func refusals() map[Kind]struct {
	status int
	code   string
} {
	return map[Kind]struct {
		status int
		code   string
	}{
		SlowDown:    {http.StatusServiceUnavailable, "SlowDown"},
		TooMany:     {http.StatusTooManyRequests, ""},
		ServerError: {http.StatusInternalServerError, "InternalError"},
		Gateway:     {http.StatusBadGateway, ""},
		ErrorBody:   {http.StatusOK, "InternalError"},
		Expired:     {http.StatusForbidden, "ExpiredToken"},
		Stranger:    {http.StatusForbidden, "InvalidAccessKeyId"},
		Unsigned:    {http.StatusForbidden, "SignatureDoesNotMatch"},
		Skewed:      {http.StatusForbidden, "RequestTimeTooSkewed"},
		Denied:      {http.StatusForbidden, "AccessDenied"},
		Firewall:    {http.StatusForbidden, ""},
		NotFound:    {http.StatusNotFound, "NoSuchKey"},
		Ingress:     {http.StatusNotFound, ""},
		NoBucket:    {http.StatusNotFound, "NoSuchBucket"},
		Changed:     {http.StatusPreconditionFailed, "PreconditionFailed"},
		Elsewhere:   {http.StatusMovedPermanently, "PermanentRedirect"},
		BadRange:    {http.StatusRequestedRangeNotSatisfiable, "InvalidRange"},
	}
}

func refuse(w http.ResponseWriter, kind Kind) {
	answer, known := refusals()[kind]
	if !known {
		panic(fmt.Sprintf("faults: there is no kind %q", kind))
	}
	if kind == Elsewhere {
		w.Header().Set("X-Amz-Bucket-Region", "eu-elsewhere-1")
	}
	if answer.code == "" {
		http.Error(w, "default backend: "+http.StatusText(answer.status), answer.status)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	w.WriteHeader(answer.status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<Error><Code>%s</Code><Message>By plan.</Message></Error>`, answer.code)
}

// reset promises a body, sends a part of it and resets the connection.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nEtag: \"0\"\r\nLast-Modified: Mon, 02 Jan 2006 15:04:05 GMT\r\n\r\n0123456789")
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// trickle sends a body byte by byte.
type trickle struct {
	http.ResponseWriter
	ctx   context.Context
	pause time.Duration
}

func (t *trickle) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := t.ResponseWriter.Write(b[i : i+1]); err != nil {
			return i, err
		}
		if err := http.NewResponseController(t.ResponseWriter).Flush(); err != nil {
			return i, err
		}
		select {
		case <-time.After(t.pause):
		case <-t.ctx.Done():
			return i, t.ctx.Err()
		}
	}
	return len(b), nil
}

// half is half of the length that the header promises.
func half(w http.ResponseWriter) int {
	n, err := strconv.Atoi(w.Header().Get("Content-Length"))
	if err != nil {
		return 0
	}
	return n / 2
}

// truncated drops the connection in the middle of the body.
type truncated struct {
	http.ResponseWriter
	left int
}

func (t *truncated) WriteHeader(status int) {
	t.left = half(t.ResponseWriter)
	t.ResponseWriter.WriteHeader(status)
}

func (t *truncated) Write(b []byte) (int, error) {
	n, err := t.ResponseWriter.Write(b[:min(t.left, len(b))])
	t.left -= n
	if err == nil && t.left == 0 {
		_ = http.NewResponseController(t.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// shortened sends half of the body and says that this is all.
type shortened struct {
	http.ResponseWriter
	left int
}

func (s *shortened) WriteHeader(status int) {
	s.left = half(s.ResponseWriter)
	s.Header().Set("Content-Length", strconv.Itoa(s.left))
	s.ResponseWriter.WriteHeader(status)
}

func (s *shortened) Write(b []byte) (int, error) {
	n, err := s.ResponseWriter.Write(b[:min(s.left, len(b))])
	s.left -= n
	if err != nil {
		return n, err
	}
	return len(b), nil
}
