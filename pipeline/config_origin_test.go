package pipeline

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// readText is ReadConfig of a text, called f.yaml.
func readText(t *testing.T, text string, environment map[string]string, renamed []renaming) (Loaded, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	writeFile(t, "f.yaml", text)
	return readConfig("f.yaml", func(name string) string { return environment[name] }, renamed)
}

func TestWhereValuesComeFrom(t *testing.T) {
	l, err := readText(t, "kafka:\n  group: mine\n  tls:\n    enabled: true\n  client_id:\nstages:\n- photos\ns3: {region: eu, bucket: photos}\nmemory: {budget: 1GiB}\n",
		map[string]string{"PLANETAG_MEMORY_BUDGET": "2GiB", "PLANETAG_S3_SECRET_KEY": "hush", "PLANETAG_S3_ACCESS_KEY": "a"}, renamings())
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	if err := l.Print(&printed); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"  group: mine # f.yaml:2\n",
		"    enabled: true # f.yaml:4\n",
		"  client_id: planetag # default\n", // a key without a value means the default
		"stages: # f.yaml:6\n- photos\n",
		"  region: eu # f.yaml:8\n  access_key: a # PLANETAG_S3_ACCESS_KEY\n  secret_key: \"********\" # PLANETAG_S3_SECRET_KEY\n",
		"  budget: 2GiB # PLANETAG_MEMORY_BUDGET\n",
	} {
		if !strings.Contains(printed.String(), line) {
			t.Errorf("not printed: %q\n%s", line, printed.String())
		}
	}
	again, err := load(t, printed.String(), map[string]string{"PLANETAG_S3_SECRET_KEY": "hush"})
	if err != nil || again.Memory.Budget != l.Config.Memory.Budget {
		t.Errorf("what was printed reads as something else: %v", err)
	}
	settings := l.Settings()
	if s := settings["memory.budget"]; s.Origin != "PLANETAG_MEMORY_BUDGET" || s.Value != Bytes(2<<30) {
		t.Errorf("%+v", s)
	}
	if s := settings["http.listen"]; s.Origin != "default" || s.Value != "127.0.0.1:9600" {
		t.Errorf("%+v", s)
	}
}

func TestAnOldNameWorksAndWarns(t *testing.T) {
	renamed := []renaming{{"s3.parallel", "s3.max_parallel"}, {"kafka.sasl.user", "kafka.sasl.username"}}
	for _, row := range []struct {
		story, text string
		environment map[string]string
		most        int
		origin      string
		warns, says string
	}{
		{"the new name", "s3: {max_parallel: 7}\n", nil, 7, "f.yaml:1", "", ""},
		{"the old name", "s3:\n  region: eu\n  parallel: 7\n", nil, 7, "f.yaml:3", "f.yaml:3: s3.parallel is called s3.max_parallel now; rename it", ""},
		{"an old variable", "", map[string]string{"PLANETAG_S3_PARALLEL": "8"}, 8, "PLANETAG_S3_PARALLEL", "the variable PLANETAG_S3_PARALLEL is called PLANETAG_S3_MAX_PARALLEL now; rename it", ""},
		{"an old and a new variable", "", map[string]string{"PLANETAG_S3_PARALLEL": "8", "PLANETAG_S3_MAX_PARALLEL": "9"}, 9, "PLANETAG_S3_MAX_PARALLEL", "", ""},
		{"both names", "s3:\n  max_parallel: 9\n  parallel: 7\n", nil, 0, "", "", "f.yaml:3:3: s3.parallel is the old name of s3.max_parallel, and both are set; keep s3.max_parallel"},
		{"a wrong value under the old name", "s3: {parallel: many}\n", nil, 0, "", "", "f.yaml:1:16: "},
		{"an old name two sections down", "kafka: {sasl: {user: u}}\n", nil, 0, "", "", "kafka.sasl.mechanism is empty"},
	} {
		l, err := readText(t, row.text, row.environment, renamed)
		if row.says != "" {
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: %v, want it to say %q", row.story, err, row.says)
			}
			continue
		}
		if err != nil || l.Config.S3.MaxParallel != row.most || l.Origins["s3.max_parallel"] != row.origin {
			t.Errorf("%s: %d from %q, %v", row.story, l.Config.S3.MaxParallel, l.Origins["s3.max_parallel"], err)
		}
		if got := strings.Join(l.Warnings, "\n"); got != row.warns {
			t.Errorf("%s: warns %q, want %q", row.story, got, row.warns)
		}
	}
}

// TestRenamingsAreToKeysThatExist keeps the table to what it is for.
func TestRenamingsAreToKeysThatExist(t *testing.T) {
	for _, r := range renamings() {
		if keySchemaOf(r.now) == nil || strings.TrimSuffix(r.old, lastWord(r.old)) != strings.TrimSuffix(r.now, lastWord(r.now)) {
			t.Errorf("%s cannot be read as %s", r.old, r.now)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
