package pipeline

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"planetag/deploy/faults"
)

// wired puts a wire that can be broken between the world's worker and its store.
func wired(t *testing.T, w *sickWorld) *faults.Wire {
	t.Helper()
	wire, err := faults.StartWire(strings.TrimPrefix(w.proxy.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wire.Down)
	w.cfg.S3.Endpoint = "http://" + wire.Addr()
	return wire
}

// failures is how often the worker says that a read of the store failed, for whatever reason.
func failures(t *testing.T, s *worker) (total float64) {
	t.Helper()
	for _, reason := range failureReasons() {
		total += figure(t, s.reg, fmt.Sprintf("planetag_store_read_failures_total{reason=%q}", reason.word))
	}
	return total + figure(t, s.reg, fmt.Sprintf("planetag_store_read_failures_total{reason=%q}", reasonConnection))
}

// awaitFailures reads what is published until so many reads of the store have failed.
func (w *sickWorld) awaitFailures(s *worker, n float64) {
	w.t.Helper()
	for begun := time.Now(); failures(w.t, s) < n; w.read(50 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			w.t.Errorf("the store cannot be reached and %v reads have failed, want %v", failures(w.t, s), n)
			return
		}
	}
}

// TestWhatBreaksBelowHTTPHeals: connections that are refused, reset, cut or swallowed delay photos, and bury none.
func TestWhatBreaksBelowHTTPHeals(t *testing.T) {
	testLibrary(t)
	nothingStays(t)
	for name, poison := range map[string]faults.Poison{
		"refused": "", "swallowed": faults.Swallow, "reset": faults.Hangup, "cut": faults.Halve,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSickWorld(t, faults.Plan{})
			wire := wired(t, w)
			w.send(30)
			s := w.work(hasty)
			w.settle(20*time.Second, located) // so there are connections in use, too
			if poison == "" {
				wire.Down()
			} else if err := wire.Poison(poison); err != nil {
				t.Fatal(err)
			}
			w.send(60)
			w.awaitFailures(s, sickAfter)
			wire.Heal(t.Context())
			if poison == "" {
				if err := wire.Up(); err != nil {
					t.Fatal(err)
				}
			}
			w.settle(30*time.Second, located)
		})
	}
}

// TestNameThatIsNotFoundIsWaitedFor: the store's name vanishes from DNS while the worker runs, and comes back.
func TestNameThatIsNotFoundIsWaitedFor(t *testing.T) {
	testLibrary(t)
	nothingStays(t)
	names := startNames(t)
	w := newSickWorld(t, faults.Plan{})
	wire := wired(t, w)
	w.cfg.S3.Endpoint = strings.Replace(w.cfg.S3.Endpoint, "127.0.0.1", "store.planetag.test", 1)
	w.send(20)
	s := w.work(hasty)
	w.settle(20*time.Second, located)
	for _, refusal := range []dnsmessage.RCode{dnsmessage.RCodeNameError, dnsmessage.RCodeServerFailure} {
		before, asked := failures(t, s), names.asked.Load()
		names.answer.Store(uint32(refusal))
		wire.Down() // who is connected needs no name
		if err := wire.Up(); err != nil {
			t.Fatal(err)
		}
		w.send(40)
		w.awaitFailures(s, before+sickAfter)
		if names.asked.Load() == asked || w.log.count("no such host")+w.log.count("server misbehaving") == 0 {
			t.Errorf("%v: the worker did not notice: %d questions", refusal, names.asked.Load()-asked)
		}
		names.answer.Store(uint32(dnsmessage.RCodeSuccess))
		w.settle(30*time.Second, located)
	}
}

// nameServer answers every question for an address by 127.0.0.1, or by a refusal.
type nameServer struct {
	answer atomic.Uint32 // a dnsmessage.RCode
	asked  atomic.Int64
}

// startNames makes this process ask a name server of the test's own until the test ends.
func startNames(t *testing.T) *nameServer {
	t.Helper()
	socket, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for question := make([]byte, 1500); ; {
			n, from, err := socket.ReadFrom(question)
			if err != nil {
				return
			}
			if reply, err := s.reply(question[:n]); err == nil {
				_, _ = socket.WriteTo(reply, from)
			}
		}
	})
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = socket.Close()
		serving.Wait()
	})
	return s
}

func (s *nameServer) reply(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	s.asked.Add(1)
	m.Response, m.RCode, m.Additionals = true, dnsmessage.RCode(s.answer.Load()), nil
	if q := m.Questions[0]; m.RCode == dnsmessage.RCodeSuccess && q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	return m.Pack()
}
