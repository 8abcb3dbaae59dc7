package faults

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Proxy is a handler that breaks some of what goes to the next one.
type Proxy struct {
	next http.Handler
	plan Plan

	mu       sync.Mutex
	outage   Kind
	down     bool
	requests int
	hits     map[Kind]int
	asked    map[string]int
}

// New returns a proxy in front of next.
func New(next http.Handler, plan Plan) *Proxy {
	if plan.Pause == 0 {
		plan.Pause = time.Second
	}
	return &Proxy{next: next, plan: plan, hits: make(map[Kind]int), asked: make(map[string]int)}
}

// Down begins an outage: every request, whatever it asks for, meets the kind until Up. What is in progress goes on.
func (p *Proxy) Down(kind Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.outage = true, kind
}

// Up ends an outage.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// Requests is how many requests there were.
func (p *Proxy) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// Hits is how many requests met each kind.
func (p *Proxy) Hits() map[Kind]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.hits)
}

// Asked is how often an object was asked for, outages not counted.
func (p *Proxy) Asked(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[key]
}

// ServeHTTP is http.Handler's.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch kind := p.decide(r); kind {
	case None:
		p.next.ServeHTTP(w, r)
	case Stall:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Reset:
		reset(w)
	case Trickle:
		p.next.ServeHTTP(&trickle{ResponseWriter: w, ctx: r.Context(), pause: p.plan.Pause}, r)
	case Truncate:
		p.next.ServeHTTP(&truncated{ResponseWriter: w}, r)
	case Shorten:
		p.next.ServeHTTP(&shortened{ResponseWriter: w}, r)
	default:
		refuse(w, kind)
	}
}

// decide counts a request and says what it meets.
func (p *Proxy) decide(r *http.Request) Kind {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	kind := p.outage
	if !p.down {
		kind = p.fate(r)
	}
	if kind == Changed && r.Header.Get("If-Match") == "" {
		kind = None
	}
	p.hits[kind]++
	return kind
}

// fate is the plan's; only reads of objects have one.
func (p *Proxy) fate(r *http.Request) Kind {
	_, key, isObject := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !isObject || key == "" || r.Method != http.MethodGet {
		return None
	}
	n := p.asked[key]
	p.asked[key]++
	rule, _ := p.plan.Fate(key, n)
	return rule.Kind
}
