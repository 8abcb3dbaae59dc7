package realkafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"planetag/deploy/secrets"
)

// PostGIS is one PostgreSQL with the PostGIS extension at hand.
type PostGIS struct {
	URL string // postgres://…, of a superuser without a password; it stays the same over restarts
	// CAFile is of the authority that signed the server's certificate, and Password the superuser's, where it is a secure one; it
	// stands in URL, too.
	CAFile, Password string

	t       testing.TB
	dir     string
	argv    []string
	addr    string
	bin     string
	process *process
}

// StartPostGIS makes and starts an empty database cluster and returns when it answers. It is stopped when the test ends.
func StartPostGIS(t testing.TB) *PostGIS {
	t.Helper()
	p := newPostGIS(t)
	p.URL = "postgres://planetag@" + p.addr + "/postgres?sslmode=disable"
	p.start("-A", "trust")
	return p
}

// StartSecurePostGIS is StartPostGIS of one that lets nobody in without TLS and a password (SCRAM-SHA-256).
func StartSecurePostGIS(t testing.TB) *PostGIS {
	t.Helper()
	p, ca := newPostGIS(t), newAuthority(t)
	p.CAFile, p.Password = filepath.Join(p.dir, "ca.pem"), secrets.Of("postgres")
	p.URL = "postgres://planetag:" + p.Password + "@" + p.addr + "/postgres?sslmode=verify-full&sslrootcert=" + p.CAFile
	secret, certificate := ca.pair(t, "127.0.0.1", valid())
	for name, content := range map[string][]byte{
		"ca.pem": ca.certificatePEM(), "server.key": secret, "server.pem": certificate, "password": []byte(p.Password),
		"pg_hba.conf": []byte("hostssl all all 127.0.0.1/32 scram-sha-256\n"),
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), content, 0o600); err != nil {
			t.Fatalf("configure PostgreSQL: %v", err)
		}
	}
	give(t, p.dir)
	p.argv = []string{
		"-c", "hba_file=" + filepath.Join(p.dir, "pg_hba.conf"), "-c", "ssl=on",
		"-c", "ssl_key_file=" + filepath.Join(p.dir, "server.key"), "-c", "ssl_cert_file=" + filepath.Join(p.dir, "server.pem"),
	}
	p.start("-A", "scram-sha-256", "--pwfile", filepath.Join(p.dir, "password"))
	return p
}

func newPostGIS(t testing.TB) *PostGIS {
	t.Helper()
	controls, _ := filepath.Glob("/usr/share/postgresql/*/extension/postgis.control") // the pattern is sound
	if len(controls) == 0 {
		Missing(t, "PostgreSQL with PostGIS is not installed; `make setup-test` gets it")
	}
	version := filepath.Base(filepath.Dir(filepath.Dir(controls[len(controls)-1])))
	return &PostGIS{t: t, dir: ordinaryDir(t, "postgis"), addr: FreeAddress(t), bin: filepath.Join("/usr/lib/postgresql", version, "bin")}
}

// start makes the cluster and starts the server.
func (p *PostGIS) start(authentication ...string) {
	p.t.Helper()
	data := filepath.Join(p.dir, "data")
	ordinarily(p.t, p.dir, append([]string{
		filepath.Join(p.bin, "initdb"), "-D", data, "-U", "planetag", "-E", "UTF8", "--locale=C", "--no-sync",
	}, authentication...)...)
	port := p.addr[len("127.0.0.1:"):]
	p.argv = append([]string{
		filepath.Join(p.bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port=" + port, "-c", "unix_socket_directories=",
	}, p.argv...)
	p.t.Cleanup(p.stop)
	p.Restart()
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
