package mapping

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planetag/consumer"
)

func TestProgramsSeeTheRecord(t *testing.T) {
	rec := consumer.Record{
		Topic: "photos", Key: []byte("images/1.jpg"), Value: []byte(`{"n": 9007199254740993, "list": ["a+b", "%2B"]}`),
		Time:    time.Date(2026, 11, 26, 8, 0, 0, 12e6, time.FixedZone("", 3600)),
		Headers: []consumer.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}, {Key: "null"}, {Key: "bytes", Value: []byte{0xff}}},
	}
	for _, row := range []struct {
		program string
		want    []any
	}{
		{`$key, $topic, $timestamp`, []any{"images/1.jpg", "photos", "2026-11-26T07:00:00.012Z"}},
		{`$headers`, []any{map[string]any{"h": "2"}}},
		{`.n | tostring`, []any{"9007199254740993"}},
		{`.list[] | s3key`, []any{"a b", "+"}},
		{`"s3://images/a+b %2B/c.jpg" | s3url`, []any{map[string]any{"bucket": "images", "key": "a+b %2B/c.jpg"}}},
		{`empty`, []any{}},
		{`1, halt, 2`, []any{1.0}},
	} {
		p, err := Compile("text", row.program)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := mapped(t, p, rec)
		if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", row.program, err, diff)
		}
	}
}

func TestProgramsThatCannotBeRightAreRefused(t *testing.T) {
	for program, says := range map[string]string{
		".a |":                "text: 1:5: unexpected EOF",
		".a\n| select(.b = )": "text: 2:15: unexpected token \")\"\n>   2 | | select(.b = )",
		"s3events":            "function not defined: s3events/0",
		"$nothing":            "variable not defined: $nothing",
		"now":                 "now is not there",
		"{t: (.a | (if . then $ENV.HOME else 1 end))}": "$ENV is not there",
		"env.HOME":                   "env is not there",
		"input":                      "input is not there",
		"[inputs]":                   "inputs is not there",
		".t | strflocaltime(\"%H\")": "strflocaltime is not there",
		"import \"a\" as a; a::b":    "cannot load module",
		"include \"a\"; b":           "cannot load module",
		"debug":                      "function not defined: debug",
		"stderr":                     "function not defined: stderr",
		"input_filename":             "function not defined: input_filename",
	} {
		_, err := Compile("text", program)
		if !errors.Is(err, ErrProgram) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v\nwant %q", program, err, says)
		}
	}
}

func TestRecordsThatCannotBeMappedSayWhy(t *testing.T) {
	for _, row := range []struct{ program, value, says string }{
		{".", "not JSON", "value is not JSON: invalid character"},
		{".", "", "value is not JSON: it is empty"},
		{".", "{} {}", "value is not JSON: something follows it"},
		{".", "\"\xff\"", "value is not JSON: it is no UTF-8"},
		{".", "\x00\x00\x00\x00\x07\x08", "it begins like one of a schema registry: set input.registry.url"},
		{`error("no album")`, "{}", "text: error: no album"},
		{".key | s3key", `{"key":"100%.jpg"}`, `"100%.jpg" is not escaped`},
		{".key | s3key", `{"key":"%FF"}`, "is not UTF-8 when it is unescaped"},
		{".key | s3key", `{"key":7}`, "the key is number, not a string"},
		{".url | s3url", `{"url":"https://images/a.jpg"}`, "is not s3://bucket/key"},
		{".a.b", `{"a":"text"}`, "expected an object"},
		{"range(2000)", `{}`, "more than 1000 outputs"},
		{`"bye" | halt_error`, `{}`, "bye"},
	} {
		p, err := Compile("text", row.program)
		if err != nil {
			t.Fatal(err)
		}
		_, err = mapped(t, p, consumer.Record{Value: []byte(row.value)})
		if !errors.Is(err, ErrMap) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s of %s: %v\nwant %q", row.program, row.value, err, row.says)
		}
	}
}

// An endless program costs a record and not the worker; the end of the worker is nobody's fault.
func TestProgramsAreStopped(t *testing.T) {
	for _, program := range []string{"def f: f; f", "[range(1e15)] | length", "last(repeat(1))", `try (def f: f; f) catch "caught"`} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			p, err := Compile("text", program)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Run(t.Context(), nil, Variables{})
			if !errors.Is(err, ErrMap) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not end within 50ms") {
				t.Error(err)
			}
			because := errors.New("the worker stops")
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(because)
			if _, err := p.Run(ctx, nil, Variables{}); !errors.Is(err, because) || errors.Is(err, ErrMap) {
				t.Errorf("%v, want the reason of the end", err)
			}
		})
	}
}
