package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

var (
	// ErrProgram says that a mapping cannot be used as it is written; the message shows the place.
	ErrProgram = errors.New("bad mapping")
	// ErrMap says that this record cannot be mapped, now or later.
	ErrMap = errors.New("record cannot be mapped")
)

const (
	runTime    = 50 * time.Millisecond // for one record; the presets take a thousandth of it
	secondTime = 2 * time.Second       // for the second try of one that was late: a paused machine looks like an endless loop
	maxOutputs = 1000                  // of one record, as all of them go into one transaction
)

// Program is a compiled mapping.
type Program struct {
	name string
	code *gojq.Code
}

// Compile compiles source, which name is shown for in messages. The error wraps ErrProgram.
func Compile(name, source string) (*Program, error) {
	query, err := gojq.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrProgram, name, where(source, err))
	}
	if word := forbidden(reflect.ValueOf(query)); word != "" {
		return nil, fmt.Errorf("%w: %s: %s is not there: a record must be mapped in the same way when it is read again; use $timestamp, and put settings into the text",
			ErrProgram, name, word)
	}
	options := append(functions(), gojq.WithVariables([]string{"$key", "$headers", "$topic", "$timestamp"}))
	code, err := gojq.Compile(query, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrProgram, name, err)
	}
	return &Program{name: name, code: code}, nil
}

// Name is what the program was compiled as.
func (p *Program) Name() string { return p.name }

// where names line and column of a syntax error, and shows the line.
func where(source string, err error) string {
	var syntax *gojq.ParseError
	if !errors.As(err, &syntax) {
		return err.Error()
	}
	at := min(max(syntax.Offset-len(syntax.Token), 0), len(source))
	line := 1 + strings.Count(source[:at], "\n")
	begin := strings.LastIndexByte(source[:at], '\n') + 1
	text, _, _ := strings.Cut(source[begin:], "\n")
	return fmt.Sprintf("%d:%d: %s\n> %3d | %s\n%s^", line, at-begin+1, err, line, text, strings.Repeat(" ", len("> 123 | ")+at-begin))
}

// forbidden is the first function in a syntax tree that depends on anything but the record; "" if there is none.
func forbidden(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if f, ok := v.Interface().(*gojq.Func); ok && f != nil { // the fields of a syntax tree are all exported
			switch f.Name {
			case "now", "env", "$ENV", "input", "inputs", "localtime", "strflocaltime", "input_line_number", "get_search_list":
				return f.Name
			}
		}
		return forbidden(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if word := forbidden(v.Index(i)); word != "" {
				return word
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if word := forbidden(v.Field(i)); word != "" {
				return word
			}
		}
	}
	return ""
}

// Run runs the program on value, which is what [Decode] returns, and returns its outputs. The error wraps ErrMap, or is
// the reason why ctx ended.
func (p *Program) Run(ctx context.Context, value any, vars Variables) ([]any, error) {
	outputs, err := p.within(ctx, runTime, value, vars)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		outputs, err = p.within(ctx, secondTime, value, vars)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		// Not %w: the time that is over is the program's, and no other try would get another.
		return nil, fmt.Errorf("%w: %s did not end within %v, nor at a second try within %v", ErrMap, p.name, runTime, secondTime)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %s", ErrMap, p.name, err.Error())
	}
	return outputs, nil
}

func (p *Program) within(ctx context.Context, limit time.Duration, value any, vars Variables) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var outputs []any
	for iter := p.code.RunWithContext(ctx, value, vars.Key, vars.Headers, vars.Topic, vars.Timestamp); ; {
		v, more := iter.Next()
		if !more {
			return outputs, nil
		}
		if err, failed := v.(error); failed {
			var halt *gojq.HaltError
			if errors.As(err, &halt) && halt.Value() == nil {
				return outputs, nil
			}
			return nil, err
		}
		if outputs = append(outputs, v); len(outputs) > maxOutputs {
			return nil, fmt.Errorf("more than %d outputs of one record", maxOutputs)
		}
	}
}

// Encode is an output as JSON, object keys in order.
func Encode(output any) (json.RawMessage, error) {
	text, err := gojq.Marshal(output)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMap, err)
	}
	return text, nil
}
