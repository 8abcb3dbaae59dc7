package faults

import (
	"context"
	"fmt"
	"strings"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Wire is a connection to an address that can be broken below HTTP: toxiproxy, in this process.
type Wire struct{ proxy *toxiproxy.Proxy }

// Poison is what a Wire does to the bytes that come back: a toxic of toxiproxy, as JSON.
type Poison string

// The poisons. Requests come through, and their answers do not. (Bodies that come byte by byte are a Trickle of a Proxy: toxiproxy's own slicer leaks a
// goroutine for each connection that is given up meanwhile.)
const (
	Swallow Poison = `{"type": "timeout", "attributes": {"timeout": 0}}`    // nothing comes back, and nobody hangs up
	Hangup  Poison = `{"type": "reset_peer", "attributes": {"timeout": 0}}` // the connection is reset at the first byte
	Halve   Poison = `{"type": "limit_data", "attributes": {"bytes": 700}}` // the connection ends after 700 bytes
)

// StartWire listens on a free port of 127.0.0.1 and connects to target, host:port, until Down.
func StartWire(target string) (*Wire, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &Wire{toxiproxy.NewProxy(server, "wire", "127.0.0.1:0", target)}
	if err := w.Up(); err != nil {
		return nil, err
	}
	return w, nil
}

// Addr is where the wire listens, host:port; it stays the same over Down and Up.
func (w *Wire) Addr() string { return w.proxy.Listen }

// Down ends every connection and refuses new ones.
func (w *Wire) Down() { w.proxy.Stop() }

// Up listens again.
func (w *Wire) Up() error {
	if err := w.proxy.Start(); err != nil {
		return fmt.Errorf("start wire at %s: %w", w.proxy.Listen, err)
	}
	return nil
}

// Poison does p to every connection, open ones included, until Heal.
func (w *Wire) Poison(p Poison) error {
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(string(p))); err != nil {
		return fmt.Errorf("poison wire with %s: %w", p, err)
	}
	return nil
}

// Heal takes all poison out. What was swallowed stays lost.
func (w *Wire) Heal(ctx context.Context) { w.proxy.Toxics.ResetToxics(ctx) }
