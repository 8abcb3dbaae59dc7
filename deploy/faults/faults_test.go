package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const content = "0123456789abcdef"

// front is a proxy in front of a store whose every object has the same content.
func front(t *testing.T, plan Plan) (*Server, *http.Client) {
	t.Helper()
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = io.WriteString(w, content)
	}))
	t.Cleanup(store.Close)
	s, err := Start(store.URL, plan)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, client
}

// ask reads an object as a client does; status is 0 when no answer came.
func ask(t *testing.T, client *http.Client, url string, header ...string) (status int, text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(header) == 2 {
		request.Header.Set(header[0], header[1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestEveryKindDoesWhatItSays(t *testing.T) {
	for _, row := range []struct {
		kind   Kind
		status int
		says   string
		fails  error
	}{
		{None, 200, content, nil},
		{SlowDown, 503, "<Code>SlowDown</Code>", nil},
		{TooMany, 429, "default backend", nil},
		{ErrorBody, 200, "<Code>InternalError</Code>", nil},
		{Expired, 403, "<Code>ExpiredToken</Code>", nil},
		{Firewall, 403, "default backend", nil},
		{Ingress, 404, "default backend", nil},
		{NotFound, 404, "<Code>NoSuchKey</Code>", nil},
		{Elsewhere, 301, "<Code>PermanentRedirect</Code>", nil},
		{Stall, 0, "", context.DeadlineExceeded},
		{Trickle, 200, "0", context.DeadlineExceeded},
		{Truncate, 200, content[:8], io.ErrUnexpectedEOF},
		{Shorten, 200, content[:8], nil},
		{Reset, 200, "", syscall.ECONNRESET},
		{Changed, 200, content, nil},
	} {
		t.Run(string(row.kind), func(t *testing.T) {
			s, client := front(t, Plan{Rules: []Rule{{Kind: row.kind}}, Pause: time.Hour})
			status, text, err := ask(t, client, s.URL()+"/photos/a.jpg")
			if row.kind == Reset && status == 0 {
				status = 200 // the reset may overtake the answer
			}
			if status != row.status || !strings.Contains(text, row.says) || !errors.Is(err, row.fails) || (row.says == content[:8] && text != row.says) {
				t.Errorf("%d %q %v, want %d %q %v", status, text, err, row.status, row.says, row.fails)
			}
			want := row.kind
			if want == Changed {
				want = None
			}
			if s.Hits()[want] != 1 || s.Requests() != 1 || s.Asked("a.jpg") != 1 {
				t.Errorf("counted %v, %d requests", s.Hits(), s.Requests())
			}
		})
	}
	for kind := range refusals() {
		recorder := httptest.NewRecorder()
		refuse(recorder, kind)
		if recorder.Code != refusals()[kind].status {
			t.Errorf("%s is answered by %d", kind, recorder.Code)
		}
	}
}

func TestOutageMeetsEverybody(t *testing.T) {
	s, client := front(t, Plan{Rules: []Rule{{Kind: Changed}}})
	s.Down(SlowDown)
	for _, path := range []string{"/photos/a.jpg", "/photos", "/"} {
		if status, _, err := ask(t, client, s.URL()+path); status != 503 || err != nil {
			t.Errorf("%s in the outage: %d %v", path, status, err)
		}
	}
	s.Up()
	if status, _, err := ask(t, client, s.URL()+"/photos/a.jpg", "If-Match", `"0"`); status != 412 || err != nil {
		t.Errorf("an etag after the outage: %d %v, want the plan to go on", status, err)
	}
	if n := s.Asked("a.jpg"); n != 1 {
		t.Errorf("asked %d times by plan, want the outage not to count", n)
	}
}

// TestPlanIsAPlan: the same seed breaks the same keys, another one breaks others, and shares are what they say.
func TestPlanIsAPlan(t *testing.T) {
	const keys = 4000
	plan := func(seed uint64) Plan {
		return Plan{Seed: seed, Rules: []Rule{
			{Kind: NotFound, Keys: "gone-*"}, {Kind: Reset, Share: 0.2, First: 2}, {Kind: SlowDown, Chance: 0.1},
		}}
	}
	met, same := map[Kind]int{}, 0
	for i := range keys {
		key := fmt.Sprintf("%d.jpg", i)
		for n := range 4 {
			a, _ := plan(1).Fate(key, n)
			b, _ := plan(1).Fate(key, n)
			c, _ := plan(2).Fate(key, n)
			if a != b {
				t.Fatalf("%s meets %v and then %v", key, a, b)
			}
			if a == c {
				same++
			}
			if n == 1 || n == 3 {
				met[Kind(fmt.Sprint(a.Kind, n))]++
			}
		}
	}
	for kind, want := range map[Kind]int{"reset1": keys * 20 / 100, "reset3": 0, "slowdown1": keys * 8 / 100, "slowdown3": keys * 10 / 100} {
		if got := met[kind]; got < want*8/10 || got > want*12/10 {
			t.Errorf("%s met %d keys, want about %d", kind, got, want)
		}
	}
	if same > 4*keys*90/100 {
		t.Errorf("another seed breaks the same: %d of %d", same, 4*keys)
	}
	if rule, ok := plan(1).Fate("gone-1.jpg", 99); !ok || rule.Kind != NotFound {
		t.Errorf("a key of a pattern meets %v", rule)
	}
}

func TestStartSaysWhy(t *testing.T) {
	if s, err := Start("127.0.0.1:9000", Plan{}); err == nil {
		t.Errorf("started in front of nothing at %s", s.URL())
	}
}
