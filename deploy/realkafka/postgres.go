package realkafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// PostGIS is one PostgreSQL with the PostGIS extension at hand.
type PostGIS struct {
	URL string // postgres://…, of a superuser without a password; it stays the same over restarts

	t       testing.TB
	dir     string
	argv    []string
	addr    string
	bin     string
	process *process
}

// StartPostGIS makes and starts an empty database cluster and returns when it listens. It is stopped when the test ends.
func StartPostGIS(t testing.TB) *PostGIS {
	t.Helper()
	controls, _ := filepath.Glob("/usr/share/postgresql/*/extension/postgis.control") // the pattern is sound
	if len(controls) == 0 {
		Missing(t, "PostgreSQL with PostGIS is not installed; `make setup-test` gets it")
	}
	version := filepath.Base(filepath.Dir(filepath.Dir(controls[len(controls)-1])))
	bin := filepath.Join("/usr/lib/postgresql", version, "bin")
	p := &PostGIS{t: t, dir: ordinaryDir(t, "postgis"), addr: FreeAddress(t), bin: bin}
	p.URL = "postgres://planetag@" + p.addr + "/postgres?sslmode=disable"
	data := filepath.Join(p.dir, "data")
	ordinarily(t, p.dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "planetag", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	port := p.addr[len("127.0.0.1:"):]
	p.argv = []string{
		filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port=" + port, "-c", "unix_socket_directories=",
	}
	t.Cleanup(p.stop)
	p.Restart()
	return p
}

// Kill9 ends the server without warning; its own processes follow it.
func (p *PostGIS) Kill9() { p.process.kill9() }

// Restart starts a server that was killed, on the same port and data, and returns when it takes connections.
func (p *PostGIS) Restart() {
	p.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var err error
		if p.process, err = startOrdinary(ordinaryUser(p.t), "PostgreSQL", filepath.Join(p.dir, "postgres.log"), p.argv...); err == nil {
			err = p.process.waitPort(p.addr, 30*time.Second)
		}
		for err == nil && !p.ready() { // it listens before it has repaired what a kill left
			if time.Sleep(50 * time.Millisecond); time.Now().After(deadline) {
				err = errors.New("it listens, but does not take connections")
			}
		}
		if err == nil {
			return
		}
		// What a killed server left behind ends a moment later, and keeps the next one from starting until then.
		if time.Now().After(deadline) {
			p.t.Fatal(fmt.Errorf("start PostgreSQL: %w", err))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (p *PostGIS) ready() bool {
	host, port, _ := net.SplitHostPort(p.addr) // our own
	return exec.CommandContext(context.Background(), filepath.Join(p.bin, "pg_isready"), "-q", "-h", host, "-p", port).Run() == nil
}

func (p *PostGIS) stop() {
	if p.process == nil {
		return
	}
	p.process.terminate(10 * time.Second)
	if p.t.Failed() {
		p.t.Logf("PostgreSQL's log ends:\n%s", p.process.tail())
	}
}
