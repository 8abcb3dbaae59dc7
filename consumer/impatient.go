package consumer

import (
	"context"
	"net"
	"time"
)

// silence bounds a read or a write for which the library sets no deadline, as in
// an exchange of credentials: a broker that accepts and never answers would be
// waited for as long as it likes. Whatever may take longer, joining a group for
// one, sets a deadline of its own.
const silence = 2 * requestTimeout

// impatient is a connection on which nobody waits for ever.
type impatient struct{ net.Conn }

func dialImpatient(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := impatient{conn}
	return c, c.SetDeadline(time.Time{})
}

// SetDeadline implements net.Conn, without "never".
func (c impatient) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(orSilence(t)) }

// SetReadDeadline implements net.Conn, without "never".
func (c impatient) SetReadDeadline(t time.Time) error { return c.Conn.SetReadDeadline(orSilence(t)) }

// SetWriteDeadline implements net.Conn, without "never".
func (c impatient) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(orSilence(t)) }

func orSilence(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().Add(silence)
	}
	return t
}
