package main

import (
	"strings"
	"testing"
	"time"
)

// TestAMissingTopicIsForSomebodyToMake: a worker that may not create topics ends with the status that says so, and the
// command that makes each of them.
func TestAMissingTopicIsForSomebodyToMake(t *testing.T) {
	world := newWorld(t)
	world.env = append(world.env, "PLANETAG_TOPICS_CREATE=false")
	p := world.start(t)
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		t.Fatal("the worker works without topics")
	}
	if status := p.cmd.ProcessState.ExitCode(); status != exitConfig {
		t.Errorf("status %d, want %d", status, exitConfig)
	}
	for _, topic := range []string{world.cfg.Topics.Input, world.cfg.Topics.Embeddings, world.cfg.Topics.Locations, world.cfg.Topics.DeadLetters} {
		if want := "--create --topic " + topic + " "; !strings.Contains(p.log.String(), want) {
			t.Errorf("nothing says %q:\n%s", want, p.log.String())
		}
	}
}
