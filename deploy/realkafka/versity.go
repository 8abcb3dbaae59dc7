package realkafka

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"planetag/deploy/secrets"
)

// Versity is one versitygw over a directory: an S3 server that checks signatures, as the embedded one does not.
type Versity struct {
	URL       string // http://127.0.0.1:port
	AccessKey string
	SecretKey string

	program string
}

// StartVersity starts the server on an empty directory and returns when it listens. It is stopped when the test ends.
func StartVersity(t testing.TB) *Versity {
	t.Helper()
	return startVersity(t)
}

// StartVersityWithEvents starts a server that writes an event for every change of an object to a topic, which must exist.
func StartVersityWithEvents(t testing.TB, broker, topic string) *Versity {
	t.Helper()
	return startVersity(t, "--event-kafka-url", broker, "--event-kafka-topic", topic)
}

func startVersity(t testing.TB, events ...string) *Versity {
	t.Helper()
	program := filepath.Join(Root(t), ".deps", "bin", "versitygw")
	if _, err := os.Stat(program); err != nil {
		Missing(t, "versitygw is not installed; `make setup-test` gets it")
	}
	dir := t.TempDir()
	data, sidecar, users := filepath.Join(dir, "data"), filepath.Join(dir, "sidecar"), filepath.Join(dir, "users")
	for _, d := range []string{data, sidecar, users} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatalf("make versitygw's directories: %v", err)
		}
	}
	addr := FreeAddress(t)
	v := &Versity{URL: "http://" + addr, AccessKey: "planetag-test", SecretKey: secrets.Of("s3-root"), program: program}
	// Metadata goes to files beside the data: extended attributes are not everywhere a temporary directory is.
	arguments := append([]string{program, "--quiet", "--keep-alive", "--iam-dir", users, "--access", v.AccessKey, "--secret", v.SecretKey, "--port", addr}, events...)
	p, err := startProcess("versitygw", filepath.Join(dir, "versitygw.log"), append(arguments, "posix", "--sidecar", sidecar, data)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.terminate(5 * time.Second) })
	if err := p.waitPort(addr, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	return v
}

// AddUser makes a user that may do nothing until a bucket's policy says otherwise.
func (v *Versity) AddUser(t testing.TB, accessKey, secretKey string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), v.program, "admin", "--access", v.AccessKey, "--secret", v.SecretKey, "--endpoint-url", v.URL,
		"create-user", "--access", accessKey, "--secret", secretKey, "--role", "user")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make the user %s: %v\n%s", accessKey, err, out)
	}
}
