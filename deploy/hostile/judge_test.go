package main

import (
	"strings"
	"testing"
	"time"
)

func at(kind string, dead bool) verdict {
	v := verdict{id: "b/a", kind: kind, dead: dead, stage: "photo"}
	if dead {
		v.stage, v.reason = "", "because"
	}
	return v
}

// TestJudgeFindsWhatAWorkerMustNotDo gives the judge the records of workers that are broken on purpose.
func TestJudgeFindsWhatAWorkerMustNotDo(t *testing.T) {
	for _, row := range []struct {
		story    string
		good     bool
		verdicts []verdict
		says     string // "" = all is well
	}{
		{"a location", true, []verdict{at("estimated", false)}, ""},
		{"a location without a place", true, []verdict{at("abstained", false)}, ""},
		{"a dead letter", false, []verdict{at("corrupt_photo", true)}, ""},
		{"dropped silently", false, nil, "no verdict"},
		{"published twice", false, []verdict{at("estimated", false), at("estimated", false)}, "2 verdicts"},
		{"dead twice", false, []verdict{at("corrupt_photo", true), at("corrupt_photo", true)}, "2 verdicts"},
		{"both", false, []verdict{at("estimated", false), at("corrupt_photo", true)}, "2 verdicts: estimated, corrupt_photo"},
		{"dead without a reason", false, []verdict{{id: "b/a", dead: true, kind: "corrupt_photo"}}, "without a reason"},
		{"dead without a type", false, []verdict{{id: "b/a", dead: true, reason: "because"}}, "without a reason"},
		{"a good photo is dead", true, []verdict{at("corrupt_photo", true)}, "a good photo"},
		{"an album that nobody sent", false, []verdict{{id: "b/a", kind: "estimated", stage: "album"}}, "stage album"},
		{"somebody else's photo", true, []verdict{at("estimated", false), {id: "b/z", kind: "estimated", stage: "photo"}}, "nobody sent"},
	} {
		problems := judge([]*sent{{id: "b/a", name: "a", good: row.good}}, row.verdicts)
		if text := strings.Join(problems, "; "); (text == "") != (row.says == "") || !strings.Contains(text, row.says) {
			t.Errorf("%s: the judge says %q, want %q", row.story, text, row.says)
		}
	}
}

// TestATimeInTheCrowdIsNoBlame holds a file that was sent again to its time alone, and every other to what there is.
func TestATimeInTheCrowdIsNoBlame(t *testing.T) {
	files := []*sent{{id: "b/made/a"}, {id: "b/made/b"}, {id: "b/made/c"}, {id: "b/alone/made/a", alone: true}, {id: "b/alone/made/b", alone: true}}
	out := &outcome{files: files, took: map[string]time.Duration{
		"b/made/a": 9 * time.Second, "b/made/b": 8 * time.Second, "b/made/c": 6 * time.Second, "b/alone/made/a": time.Second, "b/alone/made/b": 7 * time.Second,
	}}
	var ids []string
	for _, f := range out.slow(5 * time.Second) {
		ids = append(ids, f.id)
	}
	if got := strings.Join(ids, " "); got != "b/made/c b/alone/made/b" {
		t.Errorf("slow are %q", got)
	}
	if worst := out.worst(); worst.id != "b/alone/made/b" {
		t.Errorf("the worst is %s", worst.id)
	}
}
