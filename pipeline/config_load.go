package pipeline

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ErrConfig says that the worker cannot be built as it is configured; it is the operator who has to act.
var ErrConfig = errors.New("bad configuration")

const envPrefix = "PLANETAG_"

// LoadConfig reads the YAML file at path over the defaults, then the environment over both, and validates the result. An
// empty path reads no file; getenv is os.Getenv, and a variable that is empty counts as unset. Errors wrap ErrConfig: those
// about the file name file and line and show the excerpt; keys that do not exist come with the nearest that do.
func LoadConfig(path string, getenv func(string) string) (Config, error) {
	l, err := ReadConfig(path, getenv)
	return l.Config, err
}

// ReadConfig is LoadConfig that also tells how the configuration came about.
func ReadConfig(path string, getenv func(string) string) (Loaded, error) {
	return readConfig(path, getenv, renamings())
}

func readConfig(path string, getenv func(string) string, renamed []renaming) (Loaded, error) {
	l := Loaded{Config: DefaultConfig(), Origins: make(map[string]string)}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return Loaded{}, fmt.Errorf("%w: read %s: %w", ErrConfig, path, err)
		}
		if err := l.readYAML(path, text, renamed); err != nil {
			return Loaded{}, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	for _, key := range valueKeys(reflect.TypeFor[Config](), "") {
		if getenv(variableOf(key)) != "" {
			l.Origins[key] = variableOf(key)
		}
	}
	if err := l.Config.readEnvironment(l.modernEnvironment(getenv, renamed)); err != nil {
		return Loaded{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return l, l.Config.Validate()
}

// readYAML reads text strictly over the defaults; a key without a value, like a section all of whose keys are commented
// out, means the default. Errors begin with path, line and column.
func (l *Loaded) readYAML(path string, text []byte, renamed []renaming) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return positioned(path, text, err)
	}
	if len(file.Docs) > 1 {
		return fmt.Errorf("%s:%d: a second document begins; only one is read", path, file.Docs[1].Start.Position.Line)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType {
			continue // nothing but comments
		}
		if err := l.modernise(path, doc.Body, renamed); err != nil {
			return positioned(path, text, err)
		}
		if wrong := unknownKeys(doc.Body, reflect.TypeFor[Config](), ""); len(wrong) > 0 {
			for i, err := range wrong {
				wrong[i] = positioned(path, text, err)
			}
			return errors.Join(wrong...)
		}
		if err := yaml.NodeToValue(doc.Body, &l.Config, yaml.Strict()); err != nil {
			return positioned(path, text, err)
		}
		l.trace(path, doc.Body, reflect.TypeFor[Config](), "")
	}
	return nil
}

// unknownKeys returns an error for each key of node that the type t, or a struct in it, has no field for.
func unknownKeys(node ast.Node, t reflect.Type, section string) []error {
	m, ok := node.(*ast.MappingNode)
	if !ok || t.Kind() != reflect.Struct {
		return nil // a value of the wrong type is for the decoder to refuse
	}
	var wrong []error
	for _, v := range m.Values {
		token := v.Key.GetToken()
		if field, known := fieldByKey(t, token.Value); known {
			wrong = append(wrong, unknownKeys(v.Value, field.Type, section+token.Value+".")...)
			continue
		}
		right := nearest(section+token.Value, keysOf(reflect.TypeFor[Config](), ""))
		wrong = append(wrong, &yaml.UnknownFieldError{
			Token: token, Message: fmt.Sprintf("unknown key %q, did you mean %q?", section+token.Value, right),
		})
	}
	return wrong
}

// positioned turns an error of the YAML package into "path:3:5: message", which editors and terminals link to, and shows the place. The package's own
// excerpt would show secrets.
func positioned(path string, text []byte, err error) error {
	var marked yaml.Error
	if !errors.As(err, &marked) || marked.GetToken() == nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	at := marked.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s%s", path, at.Line, at.Column, marked.GetMessage(), surroundings(text, at.Line, at.Column))
}

// readEnvironment reads PLANETAG_… variables over c, one at a time, so that an error can name its variable.
func (c *Config) readEnvironment(getenv func(string) string) error {
	params, err := env.GetFieldParamsWithOptions(c, env.Options{Prefix: envPrefix})
	if err != nil {
		return fmt.Errorf("list environment variables: %w", err)
	}
	var errs []error
	for _, p := range params {
		value := getenv(p.Key)
		if value == "" {
			continue
		}
		err := env.ParseWithOptions(c, env.Options{
			Prefix: envPrefix, Environment: map[string]string{p.Key: value},
			FuncMap: map[reflect.Type]env.ParserFunc{reflect.TypeFor[[]string](): splitList},
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("environment variable %s: %w", p.Key, innermost(err)))
		}
	}
	return errors.Join(errs...)
}

func splitList(value string) (any, error) {
	var list []string
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list, nil
}

// innermost drops what the env package says of Go fields and types, which mean nothing to an operator.
func innermost(err error) error {
	var parse env.ParseError
	if errors.As(err, &parse) {
		return parse.Err
	}
	return err
}
