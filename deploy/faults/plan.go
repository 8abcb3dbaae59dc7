package faults

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"path"
	"time"
)

// Kind is what happens to a request.
type Kind string

// The kinds. Those that end in a refusal are in the words of S3 if not said otherwise.
const (
	None        Kind = ""             // it goes through
	SlowDown    Kind = "slowdown"     // 503 SlowDown
	TooMany     Kind = "too_many"     // 429, not in S3's words
	ServerError Kind = "server_error" // 500 InternalError
	Gateway     Kind = "gateway"      // 502, not in S3's words
	Stall       Kind = "stall"        // no answer, until the client leaves
	Trickle     Kind = "trickle"      // the body comes byte by byte: see Plan.Pause
	Truncate    Kind = "truncate"     // the connection ends in the middle of the body
	Shorten     Kind = "shorten"      // half of the body, with a length that agrees
	Reset       Kind = "reset"        // the connection is reset in the middle of the body
	ErrorBody   Kind = "error_body"   // 200 with an InternalError in place of the object
	Expired     Kind = "expired"      // 403 ExpiredToken
	Stranger    Kind = "stranger"     // 403 InvalidAccessKeyId
	Unsigned    Kind = "unsigned"     // 403 SignatureDoesNotMatch
	Skewed      Kind = "skewed"       // 403 RequestTimeTooSkewed
	Denied      Kind = "denied"       // 403 AccessDenied
	Firewall    Kind = "firewall"     // 403, not in S3's words
	NotFound    Kind = "notfound"     // 404 NoSuchKey
	Ingress     Kind = "ingress"      // 404, not in S3's words
	NoBucket    Kind = "nobucket"     // 404 NoSuchBucket
	Changed     Kind = "changed"      // 412 PreconditionFailed to whoever names an etag; to others it goes through
	Elsewhere   Kind = "elsewhere"    // 301 PermanentRedirect to another region
	BadRange    Kind = "badrange"     // 416 InvalidRange
)

// Rule says which requests for objects meet a fault.
type Rule struct {
	Kind   Kind
	Keys   string  // pattern of path.Match for the whole key; "" = all
	Share  float64 // of the keys, chosen by the seed; 0 = all
	Chance float64 // of each request for a chosen key, rolled by the seed; 0 = each
	First  int     // only the first requests for each key; 0 = for ever
}

// Plan says what happens. The first rule that a request meets counts.
type Plan struct {
	Seed  uint64
	Rules []Rule
	Pause time.Duration // between two bytes of a trickle; 0 = 1 s
}

// Fate is the first rule that meets the key at its nth request, counted from 0; ok is false when none does.
func (p Plan) Fate(key string, n int) (rule Rule, ok bool) {
	for i, r := range p.Rules {
		if r.First > 0 && n >= r.First || !matches(r.Keys, key) {
			continue
		}
		if r.Share > 0 && p.roll(i, key, -1) >= r.Share || r.Chance > 0 && p.roll(i, key, n) >= r.Chance {
			continue
		}
		return r, true
	}
	return Rule{}, false
}

func matches(pattern, key string) bool {
	ok, err := path.Match(pattern, key)
	return pattern == "" || err == nil && ok
}

// roll is a number in [0, 1) that depends on nothing but its arguments and the seed.
func (p Plan) roll(rule int, key string, n int) float64 {
	h := fnv.New64a()
	var fixed [24]byte
	binary.BigEndian.PutUint64(fixed[:], p.Seed)
	binary.BigEndian.PutUint64(fixed[8:], uint64(rule))
	binary.BigEndian.PutUint64(fixed[16:], uint64(n))
	_, _ = h.Write(fixed[:])
	_, _ = h.Write([]byte(key))
	mixed := h.Sum64() // FNV's high bits hardly depend on the last bytes
	mixed ^= mixed >> 33
	mixed *= 0xff51afd7ed558ccd
	mixed ^= mixed >> 33
	return float64(mixed>>11) / math.Exp2(53)
}
