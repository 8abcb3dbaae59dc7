package pipeline

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"planetag/pipeline/mapping"
)

// InputConfig says how a record of the input topic becomes references.
type InputConfig struct {
	Map      string         `yaml:"map" env:"MAP"` // a preset, FILE.jq, or a program in jq
	Registry RegistryConfig `yaml:"registry" envPrefix:"REGISTRY_"`
}

// RegistryConfig says how to reach a schema registry; an empty URL means that values are JSON without a frame.
type RegistryConfig struct {
	URL          string `yaml:"url" env:"URL"`
	Username     string `yaml:"username" env:"USERNAME"`
	Password     Secret `yaml:"password" env:"PASSWORD"`
	PasswordFile string `yaml:"password_file" env:"PASSWORD_FILE"`
	CAFile       string `yaml:"ca_file" env:"CA_FILE"`
}

// OutputConfig says how a location becomes the value that is published.
type OutputConfig struct {
	Map string `yaml:"map" env:"MAP"` // a preset, FILE.jq, or a program in jq
}

func (c Config) checkMapping(m *mistakes) {
	m.mapping(mapping.Input, c.Input.Map)
	m.mapping(mapping.Output, c.Output.Map)
	r := c.Input.Registry
	if r.URL != "" {
		u, err := url.Parse(r.URL)
		m.when(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil,
			"input.registry.url is not an address; write it like https://registry.example.org:8081, and the user into input.registry.username")
	}
	others := r
	others.URL = ""
	m.when(r.URL == "" && others != RegistryConfig{}, "input.registry.url is empty, but other keys of input.registry are set; say where the registry is")
	m.when(r.Password != "" && r.PasswordFile != "", "input.registry.password and input.registry.password_file are both set; keep one")
	m.when((r.Username != "") != (r.Password != "" || r.PasswordFile != ""), "input.registry.username and password (or password_file) go together; set both or neither")
}

// mapping compiles a program that stands in the configuration; files are for the start to open.
func (m *mistakes) mapping(d mapping.Direction, setting string) {
	if isFile(setting) {
		return
	}
	if _, err := compileMapping(d, setting); err != nil {
		m.add("%s", mistakeOf(err))
	}
}

// mistakeOf is an error's message without the sentinel, which Validate puts before all of them.
func mistakeOf(err error) string {
	return strings.TrimPrefix(err.Error(), ErrConfig.Error()+": ")
}

// isFile tells the name of a file from a program: programs have spaces, pipes or brackets, or are a word.
func isFile(text string) bool {
	return filepath.Ext(text) == ".jq" && !strings.ContainsAny(text, "\n|{}()[]")
}

// MappingText is the program that a setting means: of a preset, of a file, or the setting itself; and its name for messages.
// The error wraps ErrConfig.
func MappingText(d mapping.Direction, setting string) (name, text string, err error) {
	key := string(d) + ".map"
	switch {
	case slices.Contains(mapping.Presets(d), setting):
		text, err = mapping.Show(d, setting)
		name = setting
	case isFile(setting):
		var content []byte
		content, err = os.ReadFile(setting)
		name, text = setting, string(content)
	case strings.TrimSpace(setting) == "":
		err = fmt.Errorf("it is empty; it can be %s, a FILE.jq, or a program in jq", strings.Join(mapping.Presets(d), ", "))
	default:
		name, text = key, setting
	}
	if err != nil {
		return "", "", fmt.Errorf("%w: %s: %w", ErrConfig, key, err)
	}
	return name, text, nil
}

// compileMapping returns nil for the two presets that leave everything as it is.
func compileMapping(d mapping.Direction, setting string) (*mapping.Program, error) {
	if d == mapping.Input && setting == mapping.Plain || d == mapping.Output && setting == mapping.Default {
		return nil, nil
	}
	name, text, err := MappingText(d, setting)
	if err != nil {
		return nil, err
	}
	p, err := mapping.Compile(name, text)
	if err == nil {
		return p, nil
	}
	if !strings.ContainsAny(strings.TrimSpace(setting), " \n.|") { // one word: most likely a preset, misspelt
		return nil, fmt.Errorf("%w: %s.map is %q; it can be %s, a FILE.jq, or a program in jq (%w)",
			ErrConfig, d, setting, strings.Join(mapping.Presets(d), ", "), err)
	}
	return nil, fmt.Errorf("%w: %s.map: %w", ErrConfig, d, err)
}

// registry is nil when there is none.
func (r RegistryConfig) registry() (*mapping.Registry, error) {
	if r.URL == "" {
		return nil, nil
	}
	password, err := secret("input.registry.password_file", r.Password, r.PasswordFile)
	if err != nil {
		return nil, err
	}
	transport, err := TLSConfig{Enabled: true, CAFile: r.CAFile}.load("input.registry")
	if err != nil {
		return nil, err
	}
	return mapping.NewRegistry(mapping.RegistryOptions{URL: r.URL, Username: r.Username, Password: password, TLS: transport})
}
