package deploy_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"planetag/deploy/secrets"
)

// showNothing asks a working worker for everything that it serves, and then ends it with a dump of all its goroutines: none of it may show a secret. The
// dump goes to the log, which is watched.
func (f *fortress) showNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	settings := with(f.settings(t, "photos", secrets.Of("photos")), "STAGES", "photos", "HTTP_PROFILES", "true")
	cmd, log := f.command(ctx, t, settings)
	cmd.Env = append(cmd.Env, "GOTRACEBACK=all")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	worker := "http://" + settings["HTTP_LISTEN"]
	for status := 0; status != http.StatusOK && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		status, _ = page(ctx, worker+"/ready")
	}
	for path, holds := range map[string]string{
		"/metrics": "planetag_", "/live": "ok", "/ready": "ok", "/debug/pprof/": "goroutine",
		"/debug/pprof/goroutine?debug=2": "goroutine 1", "/debug/pprof/heap?debug=1": "heap profile", "/debug/pprof/heap?debug=0": "", "/debug/pprof/allocs?debug=1": "",
	} {
		status, text := page(ctx, worker+path)
		if status != http.StatusOK || text == "" || !strings.Contains(text, holds) {
			t.Errorf("%s answers %d with %d bytes", path, status, len(text))
		}
		secrets.Check(t, path, text)
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(log.String(), "SIGQUIT") || !strings.Contains(log.String(), "goroutine 1") {
		t.Errorf("no dump was written: %v", err)
	}
}

// page is the status, 0 when nobody answers, and the text of a page.
func page(ctx context.Context, url string) (status int, text string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, ""
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, ""
	}
	return answer.StatusCode, string(body)
}
