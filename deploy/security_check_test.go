package deploy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"planetag/deploy/secrets"
)

// checked is what `planetag check --json` prints.
type checked struct {
	OK     bool `json:"ok"`
	Checks []struct {
		Name, Status, Detail string
		Problems             []struct{ What, Remedy string }
	} `json:"checks"`
}

// check runs `planetag check` with the settings: it must end with the status.
func (f *fortress) check(t *testing.T, settings map[string]string, status int) checked {
	t.Helper()
	cmd, out := exec.CommandContext(t.Context(), f.binary, "check", "--json"), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, environment()
	for name, value := range settings {
		cmd.Env = append(cmd.Env, "PLANETAG_"+name+"="+value)
	}
	err := cmd.Run()
	secrets.Check(t, "the checklist", out.String())
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	var c checked
	if err := json.Unmarshal(out.Bytes(), &c); err != nil || code != status {
		t.Fatalf("status %d, want %d; %v\n%s", code, status, err, out.String())
	}
	return c
}

// says fails the test unless a check of the list has a problem with both texts.
func (c checked) says(t *testing.T, name, what, remedy string) {
	t.Helper()
	for _, check := range c.Checks {
		for _, p := range check.Problems {
			if check.Name == name && strings.Contains(p.What, what) && strings.Contains(p.Remedy, remedy) {
				return
			}
		}
	}
	t.Errorf("%s does not say %q and %q: %+v", name, what, remedy, c)
}

// checkTellsRights runs `planetag check` with all rights, and then without each: it names the one that is missing, and changes nothing.
func (f *fortress) checkTellsRights(t *testing.T, rows []grant) {
	before := f.all(t)
	for _, stage := range []string{"photos", "albums"} {
		if c := f.check(t, with(f.settings(t, stage, secrets.Of(stage)), "STAGES", stage), 0); !c.OK {
			t.Errorf("with all rights of %s: %+v", stage, c)
		}
	}
	for i, row := range rows {
		t.Run(fmt.Sprintf("%s without %s on %s", row.stage, row.operation, row.name), func(t *testing.T) {
			settings := with(f.settings(t, lacking(i), secrets.Of(lacking(i))), "STAGES", row.stage)
			f.check(t, settings, 78).says(t, "rights", fmt.Sprintf("%s on %s", row.operation, row.resourceWord()), row.command(lacking(i)))
		})
	}
	t.Run("a topic that would have to be made", func(t *testing.T) {
		settings := with(f.settings(t, "photos", secrets.Of("photos")), "STAGES", "photos", "TOPICS_CREATE", "true", "TOPICS_LOCATIONS", "photos.new")
		f.check(t, settings, 78).says(t, "rights", `on topic "photos.new"`, "--operation Write --topic photos.new")
	})
	if after := f.all(t); after != before {
		t.Errorf("something was changed, before:\n%s\nafter:\n%s", before, after)
	}
}

// all is every topic with the end of each partition, and every group.
func (f *fortress) all(t *testing.T) string {
	t.Helper()
	metadata := kmsg.NewMetadataRequest()
	topics, err := metadata.RequestWith(t.Context(), f.admin)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, topic := range topics.Topics {
		lines = append(lines, fmt.Sprintf("topic %s of %d partitions", *topic.Topic, len(topic.Partitions)))
	}
	groups := kmsg.NewListGroupsRequest()
	listed, err := groups.RequestWith(t.Context(), f.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range listed.Groups {
		lines = append(lines, "group "+group.Group)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
