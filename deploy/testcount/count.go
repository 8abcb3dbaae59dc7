package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"planetag/deploy/secrets"
)

// event is one line of go test -json; see the documentation of cmd/test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64
	Output     string
}

// totals are the figures of the closing line.
type totals struct{ Passed, Failed, Skipped int }

func (t totals) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
}

func (t *totals) add(other totals) {
	t.Passed += other.Passed
	t.Failed += other.Failed
	t.Skipped += other.Skipped
}

// counter holds what is known of the packages still running.
type counter struct {
	out      io.Writer
	total    totals
	packages map[string]*totals
	texts    map[string]*strings.Builder // output by package and test, kept until the test is over
	unended  map[string]string           // the begin of a line, by package and test
}

// count reads events to the end, reports each package on out, and returns the figures.
func count(events io.Reader, out io.Writer) (totals, error) {
	c := counter{out: out, packages: map[string]*totals{}, texts: map[string]*strings.Builder{}, unended: map[string]string{}}
	decoder := json.NewDecoder(events)
	for {
		var e event
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return c.total, nil
		}
		if err != nil {
			return c.total, fmt.Errorf("read go test's events: %w", err)
		}
		c.take(e)
	}
}

func (c *counter) take(e event) {
	key := e.Package + " " + e.Test
	c.hush(key, &e)
	switch e.Action {
	case "build-output":
		fmt.Fprint(c.out, e.Output)
	case "output":
		if c.texts[key] == nil {
			c.texts[key] = new(strings.Builder)
		}
		c.texts[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			c.endPackage(e, c.text(key))
		} else {
			c.endTest(e, c.text(key))
		}
	}
}

// hush takes a secret out of an output and makes it a failure. A long line comes in pieces.
func (c *counter) hush(key string, e *event) {
	line := c.unended[key] + e.Output
	delete(c.unended, key)
	if as, found := secrets.Find(line); found {
		c.of(e.Package).Failed++
		e.Output = "[a line with a secret is left out]\n"
		fmt.Fprintf(c.out, "LEAK  %s %s: the output shows a secret, %s\n", e.Package+e.ImportPath, e.Test, as)
		return
	}
	if !strings.HasSuffix(line, "\n") && line != "" {
		c.unended[key] = line[max(0, len(line)-maxSecret):]
	}
}

// maxSecret is longer than any secret, in any encoding.
const maxSecret = 1 << 10

// text returns what a test wrote and forgets it.
func (c *counter) text(key string) string {
	text := c.texts[key]
	delete(c.texts, key)
	if text == nil {
		return ""
	}
	return text.String()
}

func (c *counter) of(name string) *totals {
	if c.packages[name] == nil {
		c.packages[name] = &totals{}
	}
	return c.packages[name]
}

func (c *counter) endTest(e event, text string) {
	t := c.of(e.Package)
	switch e.Action {
	case "pass":
		t.Passed++
	case "skip":
		t.Skipped++
		fmt.Fprintf(c.out, "SKIP  %s %s: %s\n", e.Package, e.Test, skipReason(text))
	case "fail":
		t.Failed++
		fmt.Fprint(c.out, text)
	}
}

// endPackage reports a finished package. A package can fail with no failed test of its own: it does not build, panics, or runs out of time.
func (c *counter) endPackage(e event, text string) {
	t := c.of(e.Package)
	delete(c.packages, e.Package)
	if e.Action == "fail" {
		c.unfinished(e.Package)
		fmt.Fprint(c.out, text)
		if t.Failed == 0 {
			t.Failed = 1
		}
	}
	c.total.add(*t)
	if *t == (totals{}) {
		return // no test files
	}
	fmt.Fprintf(c.out, "%-5s %-40s %6.1fs  %s\n", e.Action, e.Package, e.Elapsed, t)
}

// unfinished shows what the tests cut off by a panic or a time-out had written.
func (c *counter) unfinished(name string) {
	for key, text := range c.texts {
		if strings.HasPrefix(key, name+" ") {
			fmt.Fprint(c.out, text.String())
			delete(c.texts, key)
		}
	}
}

// skipReason is the sentence given to t.Skip, without the framing that the testing package writes around it.
func skipReason(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "no reason given"
}
