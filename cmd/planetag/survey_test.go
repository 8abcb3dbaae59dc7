package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"planetag/pipeline/devstore"
)

// surveyKills is how often the survey is killed.
const surveyKills = 6

// surveyed is how many objects its bucket has: SURVEY_OBJECTS, or a number that the race detector gets through in seconds.
func surveyed(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SURVEY_OBJECTS")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("SURVEY_OBJECTS is %q, which is no number", text)
	}
	return n
}

// TestKilledSurveyReadsNothingTwice kills the survey of a large bucket again and again with SIGKILL. The store counts: no
// photo is asked for twice but those that were being read, and no page but the one that was being listed.
func TestKilledSurveyReadsNothingTwice(t *testing.T) {
	count := surveyed(t)
	var gets, pages atomic.Int64
	var peak int64
	bucket := devstore.Made{
		Bucket: "made", Count: count,
		Key:    func(i int) string { return fmt.Sprintf("album %04d/%06d.jpg", i/100, i) },
		Object: func(int) []byte { return []byte("\xff\xd8\xff\xda\x00\x02 a photo without exif") },
	}
	server, err := devstore.Start(devstore.Options{Hook: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("list-type") {
			pages.Add(1)
		} else {
			gets.Add(1)
		}
		return bucket.Answer(w, r)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	dir := t.TempDir()
	config := filepath.Join(dir, "planetag.yaml")
	text := fmt.Sprintf("s3: {endpoint: %q, access_key: %s, secret_key: %s, max_parallel: 8}\n", server.URL(), devstore.AccessKey, devstore.SecretKey)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "made.csv")
	for kill := range surveyKills + 1 {
		cmd := exec.Command("planetag", "survey", "s3://made", "--config", config, "--out", out, "--json")
		var said strings.Builder
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if kill < surveyKills {
			target := int64(count) * int64(kill+1) / (surveyKills + 1)
			for deadline := time.Now().Add(2 * time.Minute); gets.Load() < target && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if _, err := os.Stat(out); err == nil {
				t.Fatal("the survey was complete before it was killed")
			}
			continue
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("the last run: %v: %s", err, said.String())
		}
		if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = use.Maxrss >> 10
		}
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) != count+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows[1:] {
		if row[0] != bucket.Key(i) {
			t.Fatalf("row %d is %s", i, row[0])
		}
	}
	if again := gets.Load() - int64(count); again < 0 || again > 8*surveyKills {
		t.Errorf("%d photos were asked for again after %d kills", again, surveyKills)
	}
	if most := int64(count/1000 + 1 + 2*surveyKills); pages.Load() > most {
		t.Errorf("%d pages were asked for, at most %d should be", pages.Load(), most)
	}
	t.Logf("%d objects, %d kills: %d photos and %d pages asked for, %d MiB at most", count, surveyKills, gets.Load(), pages.Load(), peak)
}
