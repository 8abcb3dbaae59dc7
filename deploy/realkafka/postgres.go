package realkafka

import (
	"errors"
	"fmt"
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
	ready   []string // the command that says whether it answers
	addr    string
	process *process
}

// StartPostGIS makes and starts an empty database cluster and returns when it answers. It is stopped when the test ends.
func StartPostGIS(t testing.TB) *PostGIS {
	t.Helper()
	controls, _ := filepath.Glob("/usr/share/postgresql/*/extension/postgis.control") // the pattern is sound
	if len(controls) == 0 {
		Missing(t, "PostgreSQL with PostGIS is not installed; `make setup-test` gets it")
	}
	version := filepath.Base(filepath.Dir(filepath.Dir(controls[len(controls)-1])))
	bin := filepath.Join("/usr/lib/postgresql", version, "bin")
	p := &PostGIS{t: t, dir: ordinaryDir(t, "postgis"), addr: FreeAddress(t)}
	p.URL = "postgres://planetag@" + p.addr + "/postgres?sslmode=disable"
	data := filepath.Join(p.dir, "data")
	ordinarily(t, p.dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "planetag", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	port := p.addr[len("127.0.0.1:"):]
	p.argv = []string{
		filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port=" + port, "-c", "unix_socket_directories=",
	}
	p.ready = []string{filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port, "-U", "planetag", "-d", "postgres"}
	t.Cleanup(p.stop)
	p.Restart()
	return p
}

// Kill9 ends the server without warning; its own processes follow it.
func (p *PostGIS) Kill9() { p.process.kill9() }

// Restart starts a server that was killed, on the same port and data, and returns when it answers, which is later than when it listens.
func (p *PostGIS) Restart() {
	p.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var err error
		if p.process, err = startOrdinary(ordinaryUser(p.t), "PostgreSQL", filepath.Join(p.dir, "postgres.log"), p.argv...); err == nil {
			err = p.process.waitPort(p.addr, 30*time.Second)
		}
		for err == nil && exec.CommandContext(p.t.Context(), p.ready[0], p.ready[1:]...).Run() != nil {
			if time.Sleep(50 * time.Millisecond); time.Now().After(deadline) {
				err = errors.New("it listens and does not answer")
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

func (p *PostGIS) stop() {
	if p.process == nil {
		return
	}
	p.process.terminate(10 * time.Second)
	if p.t.Failed() {
		p.t.Logf("PostgreSQL's log ends:\n%s", p.process.tail())
	}
}
