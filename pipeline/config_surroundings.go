package pipeline

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// surroundings shows the lines around a mistake in a configuration file, the mistake's own marked, and of their values only those that cannot be a secret: of
// keys that exist and hold none. Everything else, be it a misspelt key's value, a comment or the inside of a long text, is masked.
func surroundings(text []byte, line, column int) string {
	const around = 3
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	var b strings.Builder
	for number := max(1, line-around); number <= min(len(lines), line+around); number++ {
		mark := " "
		if number == line {
			mark = ">"
		}
		fmt.Fprintf(&b, "\n%s%3d | %s", mark, number, harmless(lines[number-1]))
		if number == line {
			fmt.Fprintf(&b, "\n%s^", strings.Repeat(" ", len("> 12 | ")+max(column-1, 0)))
		}
	}
	return b.String()
}

// keyLine is a line of block style: indentation, key, colon, value.
var keyLine = regexp.MustCompile(`^(\s*)([A-Za-z0-9_]+)(:\s*)(.*)$`)

// harmless is a line without what may be a secret.
func harmless(line string) string {
	parts := keyLine.FindStringSubmatch(line)
	if parts == nil {
		bare := strings.TrimLeft(line, " \t")
		if bare == "" {
			return line
		}
		return line[:len(line)-len(bare)] + mask
	}
	indent, key, colon, value := parts[1], parts[2], parts[3], parts[4]
	if value == "" || holdsNoSecret(reflect.TypeFor[Config](), key) && !strings.ContainsAny(value, "#{") {
		return line
	}
	return indent + key + colon + mask
}

// holdsNoSecret tells whether key is one of the configuration's, wherever, and everywhere of a type that is neither a section nor a secret.
func holdsNoSecret(t reflect.Type, key string) bool {
	found, harmful := false, false
	var look func(t reflect.Type)
	look = func(t reflect.Type) {
		for i := range t.NumField() {
			field := t.Field(i)
			section := field.Type.Kind() == reflect.Struct
			if field.Tag.Get("yaml") == key {
				found = true
				harmful = harmful || section || field.Type == reflect.TypeFor[Secret]()
			}
			if section {
				look(field.Type)
			}
		}
	}
	look(t)
	return found && !harmful
}
