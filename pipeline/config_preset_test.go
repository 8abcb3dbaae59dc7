package pipeline

import (
	"strings"
	"testing"
)

func TestEveryPresetIsAConfigurationThatChecks(t *testing.T) {
	for _, p := range Presets() {
		text := p.File()
		c, err := load(t, text, nil)
		if err != nil {
			t.Fatalf("%s: %v\n%s", p.Name, err, text)
		}
		if found, ok := FindPreset(p.Name); !ok || found.About != p.About {
			t.Errorf("%s is not found", p.Name)
		}
		want := DefaultConfig()
		if c.Kafka.Group != want.Kafka.Group || c.S3.Endpoint != want.S3.Endpoint || c.Memory.Budget != want.Memory.Budget {
			t.Errorf("%s: an untouched value is no default:\n%s", p.Name, text)
		}
		for line := range strings.Lines(text) {
			if strings.Contains(line, ": ") && strings.HasPrefix(line, "  ") && !strings.HasPrefix(strings.TrimSpace(line), "#") {
				above, _, _ := strings.Cut(text, line)
				lines := strings.Split(strings.TrimSpace(above), "\n")
				if last := lines[len(lines)-1]; !strings.Contains(last, "#") && !strings.Contains(line, "endpoint") {
					t.Errorf("%s: no comment above %q", p.Name, strings.TrimSpace(line))
				}
			}
		}
	}
	if _, ok := FindPreset("none"); ok {
		t.Error("a preset that is not there is found")
	}
}

func TestChoices(t *testing.T) {
	for key, want := range map[string]string{"log.level": "debug info warn error", "stages": "photos albums", "kafka.group": "", "no.such": ""} {
		if got := strings.Join(Choices(key), " "); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}
