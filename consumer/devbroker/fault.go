package devbroker

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
)

// Fault is what happens to one request. The zero value is nothing.
type Fault struct {
	// Code answers the request with a Kafka error code; the broker never sees it.
	Code int16
	// LoseRequest closes the connection before the broker sees the request.
	LoseRequest bool
	// LoseAnswer closes the connection after the broker carried the request out.
	LoseAnswer bool
	// HoldAnswer, if not nil, keeps the answer back until it is closed, which must
	// be before the broker is.
	HoldAnswer <-chan struct{}
}

// OnRequest calls f with the API key of every request and does what it says, from
// now on; nil ends that. f is called by many goroutines. Without effect with TLS.
func (b *Broker) OnRequest(f func(apiKey int16) Fault) {
	if f == nil {
		b.OnFrame(nil)
		return
	}
	b.OnFrame(func(apiKey int16, _ []byte) Fault { return f(apiKey) })
}

// OnFrame is OnRequest for an f that wants to see the whole request, size field
// included. It must not change it.
func (b *Broker) OnFrame(f func(apiKey int16, frame []byte) Fault) {
	b.faults.mu.Lock()
	defer b.faults.mu.Unlock()
	b.faults.plan = f
}

type faults struct {
	mu   sync.Mutex
	plan func(apiKey int16, frame []byte) Fault
}

func (f *faults) of(apiKey int16, frame []byte) Fault {
	f.mu.Lock()
	plan := f.plan
	f.mu.Unlock()
	if plan == nil {
		return Fault{}
	}
	return plan(apiKey, frame)
}

// listener wraps what it accepts.
type listener struct {
	net.Listener
	faults *faults
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, faults: l.faults, doomed: make(map[int32]bool), held: make(map[int32]<-chan struct{})}, nil
}

// conn cuts the stream of a client into requests, and asks for the fault of each
// before the broker reads it.
type conn struct {
	net.Conn
	faults *faults
	// pending is the part of a request that the broker has not read yet.
	pending []byte

	mu     sync.Mutex
	doomed map[int32]bool            // requests whose answer is to be lost
	held   map[int32]<-chan struct{} // requests whose answer has to wait
}

// frameHeader is the length of size, API key, version and correlation id.
const frameHeader = 12

// Read implements net.Conn for the broker.
func (c *conn) Read(into []byte) (int, error) {
	for len(c.pending) == 0 {
		frame, err := c.frame()
		if err != nil {
			return 0, err
		}
		c.pending = frame
	}
	n := copy(into, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// frame reads the next request that the broker shall see; it is empty when the
// request was answered here.
func (c *conn) frame() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c.Conn, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+binary.BigEndian.Uint32(size[:]))
	copy(frame, size[:])
	if _, err := io.ReadFull(c.Conn, frame[4:]); err != nil {
		return nil, err
	}
	if len(frame) < frameHeader {
		return frame, nil
	}
	fault := c.faults.of(int16(binary.BigEndian.Uint16(frame[4:])), frame)
	id := int32(binary.BigEndian.Uint32(frame[8:]))
	switch {
	case fault.LoseRequest:
		_ = c.Conn.Close()
		return nil, net.ErrClosed
	case fault.Code != 0:
		answer, err := refuse(frame, fault.Code)
		if err != nil {
			return nil, err
		}
		_, err = c.Conn.Write(answer)
		return nil, err
	case fault.LoseAnswer:
		c.mu.Lock()
		c.doomed[id] = true
		c.mu.Unlock()
	case fault.HoldAnswer != nil:
		c.mu.Lock()
		c.held[id] = fault.HoldAnswer
		c.mu.Unlock()
	}
	return frame, nil
}

// Write implements net.Conn for the broker, which writes whole answers.
func (c *conn) Write(answer []byte) (int, error) {
	if len(answer) >= 8 {
		c.mu.Lock()
		id := int32(binary.BigEndian.Uint32(answer[4:]))
		lost, held := c.doomed[id], c.held[id]
		delete(c.held, id) // ids may come again
		c.mu.Unlock()
		if held != nil {
			<-held
		}
		if lost {
			_ = c.Conn.Close()
			return 0, net.ErrClosed
		}
	}
	return c.Conn.Write(answer)
}
