package consumer

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// deadlines is a connection that only remembers how long it may be waited for.
type deadlines struct {
	net.Conn
	read, write time.Time
}

func (d *deadlines) SetDeadline(t time.Time) error      { d.read, d.write = t, t; return nil }
func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

func TestNobodyWaitsForEverOnAConnection(t *testing.T) {
	for name, set := range map[string]func(c net.Conn, t time.Time) error{
		"both":             func(c net.Conn, t time.Time) error { return c.SetDeadline(t) },
		"one by the other": func(c net.Conn, t time.Time) error { return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t)) },
	} {
		d := &deadlines{}
		if err := set(impatient{d}, time.Time{}); err != nil || d.read.IsZero() || d.write.IsZero() {
			t.Errorf("%s: waits for ever: read until %v, write until %v, %v", name, d.read, d.write, err)
		}
		if most := time.Now().Add(silence); d.read.After(most) || d.write.After(most) {
			t.Errorf("%s: waits until %v and %v", name, d.read, d.write)
		}
		later := time.Now().Add(time.Hour)
		if err := set(impatient{d}, later); err != nil || !d.read.Equal(later) || !d.write.Equal(later) {
			t.Errorf("%s: a deadline that the library set is kept: %v, %v, %v", name, d.read, d.write, err)
		}
	}
}

// TestADialledConnectionIsImpatientAtOnce: before the library sets its first deadline, too.
func TestADialledConnectionIsImpatientAtOnce(t *testing.T) {
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c, err := dialImpatient(t.Context(), "tcp", silent.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	started := time.Now()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(started) > 2*silence {
		t.Errorf("read ended after %v with %v", time.Since(started), err)
	}
}
