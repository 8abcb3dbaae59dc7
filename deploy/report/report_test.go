package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASectionIsReplacedAndNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if err := Section(path, "cost", "one\n"); err != nil || read() != "<!-- cost -->\none\n<!-- /cost -->\n" {
		t.Errorf("a new document is %q, %v", read(), err)
	}
	write("# A\n<!-- cost -->\nold\n<!-- /cost -->\nbetween\n<!-- soak -->\n<!-- /soak -->\nend\n")
	for _, text := range []string{"one\n", "two\nlines\n"} {
		if err := Section(path, "cost", text); err != nil {
			t.Fatal(err)
		}
	}
	if want := "# A\n<!-- cost -->\ntwo\nlines\n<!-- /cost -->\nbetween\n<!-- soak -->\n<!-- /soak -->\nend\n"; read() != want {
		t.Errorf("the document is %q, want %q", read(), want)
	}
	before := read()
	if err := Section(path, "replay", "three\n"); err == nil || !strings.Contains(err.Error(), `no section "replay"`) || read() != before {
		t.Errorf("a section that is not there: %v", err)
	}
	write("<!-- cost -->\nopen\n")
	if err := Section(path, "cost", "four\n"); err == nil {
		t.Error("a section without an end was written")
	}
}
