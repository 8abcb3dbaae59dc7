package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// sent is one file whose reference was published.
type sent struct {
	id, name         string // photo id; what it is
	format, mutation string
	good             bool // nothing was done to it: it must be located
	alone            bool // it was sent before, among others
	load             func() ([]byte, error)
}

// verdict is one committed record about a photo.
type verdict struct {
	id      string
	dead    bool
	kind    string // status of the location, or error.type of the dead letter
	stage   string // of the location
	reason  string // of the dead letter
	offset  int64
	written time.Time // by the worker
}

// judge compares what was published with what was sent, and says what is wrong: nothing, when each file has one verdict.
func judge(files []*sent, verdicts []verdict) (problems []string) {
	by := map[string][]verdict{}
	for _, v := range verdicts {
		by[v.id] = append(by[v.id], v)
	}
	for _, s := range files {
		if wrong := judgeOne(s, by[s.id]); wrong != "" {
			problems = append(problems, s.name+": "+wrong)
		}
		delete(by, s.id)
	}
	for id := range by {
		problems = append(problems, id+": nobody sent it")
	}
	slices.Sort(problems)
	return problems
}

func judgeOne(s *sent, list []verdict) string {
	var kinds []string
	for _, v := range list {
		kinds = append(kinds, v.kind)
	}
	switch {
	case len(list) == 0:
		return "no verdict"
	case len(list) > 1:
		return fmt.Sprintf("%d verdicts: %s", len(list), strings.Join(kinds, ", "))
	case list[0].dead && (list[0].kind == "" || list[0].reason == ""):
		return "a dead letter without a reason"
	case !list[0].dead && list[0].stage != "photo":
		return "a location of stage " + list[0].stage
	case s.good && list[0].dead:
		return "a good photo is a dead letter: " + list[0].reason
	}
	return ""
}
