package devstore

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Made is a bucket whose objects are made when they are asked for, so that a test may have a million of them. Its Answer
// is a Hook.
type Made struct {
	Bucket string
	Count  int
	Key    func(i int) string // ascending in i
	Object func(i int) []byte
}

// made is a listing as S3 writes it.
type made struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name, Prefix          string
	KeyCount, MaxKeys     int
	IsTruncated           bool
	NextContinuationToken string       `xml:",omitempty"`
	Contents              []madeObject `xml:",omitempty"`
	CommonPrefixes        []madePrefix `xml:",omitempty"`
}

type madePrefix struct{ Prefix string }

type madeObject struct {
	Key, LastModified, ETag string
	Size                    int
}

// Answer lists the bucket and serves its objects, ranges included; false for what is not this bucket's.
func (m Made) Answer(w http.ResponseWriter, r *http.Request) bool {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != m.Bucket || r.Method != http.MethodGet {
		return false
	}
	if key == "" {
		if r.URL.Query().Get("list-type") != "2" {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		_ = xml.NewEncoder(w).Encode(m.list(r)) // whoever hung up has no use for it
		return true
	}
	i := sort.Search(m.Count, func(i int) bool { return m.Key(i) >= key })
	if i == m.Count || m.Key(i) != key {
		refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return true
	}
	data := m.Object(i)
	w.Header().Set("ETag", etagOf(data))
	http.ServeContent(w, r, "", m.time(), bytes.NewReader(data))
	return true
}

// list is one page behind start-after or the token of the page before, which is its last key.
func (m Made) list(r *http.Request) made {
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	most, err := strconv.Atoi(q.Get("max-keys"))
	if err != nil || most <= 0 || most > 1000 {
		most = 1000
	}
	page := made{Name: m.Bucket, Prefix: q.Get("prefix"), MaxKeys: most}
	first := sort.Search(m.Count, func(i int) bool { return m.Key(i) > after && m.Key(i) >= page.Prefix })
	last := after
	for i := first; i < m.Count && strings.HasPrefix(m.Key(i), page.Prefix); i++ {
		if page.KeyCount == most {
			page.IsTruncated, page.NextContinuationToken = true, last
			break
		}
		page.KeyCount++
		if dir := directoryOf(m.Key(i), page.Prefix, q.Get("delimiter")); dir != "" {
			page.CommonPrefixes = append(page.CommonPrefixes, madePrefix{dir})
			last = dir + lastRune // behind everything in it
			i += sort.Search(m.Count-i, func(n int) bool { return m.Key(i+n) > last }) - 1
			continue
		}
		data := m.Object(i)
		page.Contents = append(page.Contents, madeObject{m.Key(i), m.time().Format(time.RFC3339), etagOf(data), len(data)})
		last = m.Key(i)
	}
	return page
}

// lastRune sorts behind everything that a key goes on with.
const lastRune = "\U0010ffff"

// directoryOf is what a listing of one level shows in place of a key; "" for a key of that level.
func directoryOf(key, prefix, delimiter string) string {
	if delimiter == "" {
		return ""
	}
	if name, _, below := strings.Cut(key[len(prefix):], delimiter); below {
		return prefix + name + delimiter
	}
	return ""
}

func (m Made) time() time.Time { return time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC) }

// ETag is what these bytes have as an object, without quotes.
func ETag(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

func etagOf(data []byte) string { return `"` + ETag(data) + `"` }
