package realkafka

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Versity is one versitygw over a directory: an S3 server that checks signatures, as the embedded one does not.
type Versity struct {
	URL       string // http://127.0.0.1:port
	AccessKey string
	SecretKey string
}

// StartVersity starts the server on an empty directory and returns when it listens. It is stopped when the test ends.
func StartVersity(t testing.TB) *Versity {
	t.Helper()
	program := filepath.Join(Root(t), ".deps", "bin", "versitygw")
	if _, err := os.Stat(program); err != nil {
		Missing(t, "versitygw is not installed; `make setup-test` gets it")
	}
	dir := t.TempDir()
	data, sidecar := filepath.Join(dir, "data"), filepath.Join(dir, "sidecar")
	for _, d := range []string{data, sidecar} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatalf("make versitygw's directories: %v", err)
		}
	}
	addr := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	v := &Versity{URL: "http://" + addr, AccessKey: "planetag-test", SecretKey: "planetag-test-secret"}
	// Metadata goes to files beside the data: extended attributes are not everywhere a temporary directory is.
	p, err := startProcess("versitygw", filepath.Join(dir, "versitygw.log"), program, "--quiet", "--keep-alive",
		"--access", v.AccessKey, "--secret", v.SecretKey, "--port", addr, "posix", "--sidecar", sidecar, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.terminate(5 * time.Second) })
	if err := p.waitPort(addr, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	return v
}
