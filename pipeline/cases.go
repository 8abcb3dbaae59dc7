package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/diff"

	"planetag/consumer"
	"planetag/pipeline/mapping"
)

// mapCases is a file of tests of one mapping.
type mapCases struct {
	Input  string    `yaml:"input"`  // what input.map would be; paths are relative to the file
	Output string    `yaml:"output"` // or what output.map would be
	Bucket string    `yaml:"bucket"` // what s3.bucket would be
	Cases  []mapCase `yaml:"cases"`
}

// mapCase is one record and what must become of it.
type mapCase struct {
	Name    string            `yaml:"name"`
	Topic   string            `yaml:"topic"`
	Key     *string           `yaml:"key"`
	Headers map[string]string `yaml:"headers"`
	Time    string            `yaml:"timestamp"`
	Value   any               `yaml:"value"` // the value's content
	Text    *string           `yaml:"text"`  // or the value itself
	Want    []any             `yaml:"want"`  // outputs, without what is null
	Error   string            `yaml:"error"` // or a part of the reason why there are none
}

// CaseResult is the outcome of one case; Diff is empty when it passed.
type CaseResult struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Diff string `json:"diff,omitempty"`
}

// RunMapCases runs the cases of a file, against the mapping that it names or, if it names none, against input.map. The
// error says that the file or the mapping cannot be used; it wraps ErrConfig.
func RunMapCases(ctx context.Context, cfg Config, path string) ([]CaseResult, error) {
	file, err := readCases(path)
	if err != nil {
		return nil, err
	}
	direction, setting := file.mapping(path, cfg.Input.Map)
	name, source, err := MappingText(direction, setting)
	if err != nil {
		return nil, err
	}
	program, err := mapping.Compile(name, source)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	t := caseRun{program: program, direction: direction, bucket: file.Bucket}
	if t.bucket == "" {
		t.bucket = cfg.S3.Bucket
	}
	var results []CaseResult
	for i, c := range file.Cases {
		if c.Name == "" {
			c.Name = fmt.Sprintf("case %d", i+1)
		}
		got, err := t.run(ctx, c)
		if err != nil {
			return nil, err
		}
		results = append(results, got)
	}
	return results, nil
}

func readCases(path string) (mapCases, error) {
	var file mapCases
	text, err := os.ReadFile(path)
	if err != nil {
		return file, fmt.Errorf("%w: read cases: %w", ErrConfig, err)
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return file, fmt.Errorf("%w: %w", ErrConfig, positioned(path, text, err))
	}
	if file.Input != "" && file.Output != "" {
		return file, fmt.Errorf("%w: %s: input and output are both set; a file tests one mapping", ErrConfig, path)
	}
	if len(file.Cases) == 0 {
		return file, fmt.Errorf("%w: %s has no cases", ErrConfig, path)
	}
	return file, nil
}

// mapping is what the file tests; its own paths begin where it lies.
func (f mapCases) mapping(path, otherwise string) (direction mapping.Direction, setting string) {
	direction, setting = mapping.Input, f.Input
	switch {
	case f.Output != "":
		direction, setting = mapping.Output, f.Output
	case f.Input == "":
		return mapping.Input, otherwise
	}
	if isFile(setting) && !filepath.IsAbs(setting) {
		setting = filepath.Join(filepath.Dir(path), setting)
	}
	return direction, setting
}

type caseRun struct {
	program   *mapping.Program
	direction mapping.Direction
	bucket    string
}

func (t caseRun) run(ctx context.Context, c mapCase) (CaseResult, error) {
	rec, err := c.record()
	if err != nil {
		return CaseResult{}, fmt.Errorf("%w: case %q: %w", ErrConfig, c.Name, err)
	}
	outputs, err := t.outputs(ctx, rec)
	if ctx.Err() != nil {
		return CaseResult{}, context.Cause(ctx)
	}
	want, got := wanted(c.Want, c.Error), wanted(outputs, "")
	if err != nil {
		got = wanted(nil, err.Error())
		if c.Error != "" && strings.Contains(err.Error(), c.Error) {
			got = want
		}
	}
	changed := diff.Diff("want", want, "got", got)
	return CaseResult{Name: c.Name, OK: len(changed) == 0, Diff: string(changed)}, nil
}

// outputs are what the program makes of a record and what the worker would take: without what is null, which counts as
// absent, each a reference that can be understood, or one value to publish.
func (t caseRun) outputs(ctx context.Context, rec consumer.Record) ([]any, error) {
	value, err := mapping.Decode(rec.Value)
	if err != nil {
		return nil, err
	}
	outputs, err := t.program.Run(ctx, value, mapping.VariablesOf(rec))
	if err != nil {
		return nil, err
	}
	if t.direction == mapping.Output && len(outputs) != 1 {
		return nil, fmt.Errorf("%d outputs; each location needs exactly one", len(outputs))
	}
	for i, output := range outputs {
		if t.direction == mapping.Output {
			continue
		}
		if _, err := parseMapped(output, rec.Key, t.bucket); err != nil {
			return nil, fmt.Errorf("output %d of %d: %w", i+1, len(outputs), err)
		}
		if fields, ok := output.(map[string]any); ok {
			outputs[i] = withoutNulls(fields)
		}
	}
	return outputs, nil
}

func withoutNulls(fields map[string]any) map[string]any {
	kept := make(map[string]any, len(fields))
	for name, field := range fields {
		if field != nil {
			kept[name] = field
		}
	}
	return kept
}

// wanted puts outputs, or the reason why there are none, into lines that can be compared.
func wanted(outputs []any, failed string) []byte {
	if failed != "" {
		return []byte("error: " + failed + "\n")
	}
	text := []byte("no output\n")
	for i, output := range outputs {
		if i == 0 {
			text = nil
		}
		line, err := json.MarshalIndent(output, "", "  ")
		if err != nil {
			line = []byte(err.Error())
		}
		text = append(append(text, line...), '\n')
	}
	return text
}

// record is the record that a case describes.
func (c mapCase) record() (consumer.Record, error) {
	rec := consumer.Record{Topic: c.Topic, Time: time.Unix(0, 0)}
	if c.Key != nil {
		rec.Key = []byte(*c.Key)
	}
	for name, value := range c.Headers {
		rec.Headers = append(rec.Headers, consumer.Header{Key: name, Value: []byte(value)})
	}
	var err error
	if c.Time != "" {
		if rec.Time, err = time.Parse(time.RFC3339, c.Time); err != nil {
			return rec, fmt.Errorf("timestamp: %w", err)
		}
	}
	switch {
	case c.Text != nil && c.Value != nil:
		return rec, fmt.Errorf("value and text are both given; keep one")
	case c.Text != nil:
		rec.Value = []byte(*c.Text)
	case c.Value != nil:
		if rec.Value, err = json.Marshal(c.Value); err != nil {
			return rec, fmt.Errorf("value: %w", err)
		}
	}
	return rec, nil
}
