package pipeline

import (
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// failing answers the first n GETs of an object with f, and leaves the rest to the store.
func failing(n int64, f http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	var seen atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || seen.Add(1) > n {
			return false
		}
		f(w, r)
		return true
	}
}

// s3Error answers as S3 does when it fails.
func s3Error(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>because.</Message></Error>")
	}
}

// cutOff promises n bytes, sends half of them and drops the connection.
func cutOff(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		_, _ = w.Write(make([]byte, n/2))
		panic(http.ErrAbortHandler)
	}
}

// drip sends a body at a few bytes a second until the client has enough of it.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "5000")
	w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	for r.Context().Err() == nil {
		_, _ = w.Write([]byte{'.'})
		_ = http.NewResponseController(w).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

// always is more often than any caller tries.
const always = 1 << 40
