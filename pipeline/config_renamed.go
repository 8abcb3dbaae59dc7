package pipeline

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// renaming is a key that has another name now, in the same section. The old one works, in the file and in the environment,
// and warns.
type renaming struct{ old, now string }

// renamings grow when a key is renamed, and lose a line with the next major version.
func renamings() []renaming {
	return []renaming{
		{"s3.parallel", "s3.max_parallel"},
	}
}

// modernise gives the keys of a document that were renamed their names of today. It is an error to use both.
func (l *Loaded) modernise(path string, body ast.Node, renamed []renaming) error {
	for _, r := range renamed {
		section, old := "", r.old
		if i := strings.LastIndexByte(r.old, '.'); i >= 0 {
			section, old = r.old[:i], r.old[i+1:]
		}
		m, ok := mappingAt(body, section)
		if !ok {
			continue
		}
		key := keyNode(m, old)
		if key == nil {
			continue
		}
		if keyNode(m, lastWord(r.now)) != nil {
			return &yaml.SyntaxError{Token: key.Token, Message: fmt.Sprintf("%s is the old name of %s, and both are set; keep %s", r.old, r.now, r.now)}
		}
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s:%d: %s is called %s now; rename it", path, key.Token.Position.Line, r.old, r.now))
		key.Value, key.Token.Value = lastWord(r.now), lastWord(r.now)
	}
	return nil
}

// mappingAt is the mapping under a key of nested ones.
func mappingAt(node ast.Node, section string) (*ast.MappingNode, bool) {
	m, ok := node.(*ast.MappingNode)
	if !ok || section == "" {
		return m, ok
	}
	first, rest, _ := strings.Cut(section, ".")
	i := slices.IndexFunc(m.Values, func(v *ast.MappingValueNode) bool { return v.Key.GetToken().Value == first })
	if i < 0 {
		return nil, false
	}
	return mappingAt(m.Values[i].Value, rest)
}

// keyNode is a key of a mapping, nil if it has none of that name.
func keyNode(m *ast.MappingNode, name string) *ast.StringNode {
	for _, v := range m.Values {
		if key, ok := v.Key.(*ast.StringNode); ok && key.Value == name {
			return key
		}
	}
	return nil
}

// modernEnvironment finds the variables of renamed keys under their old names.
func (l *Loaded) modernEnvironment(getenv func(string) string, renamed []renaming) func(string) string {
	return func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		for _, r := range renamed {
			old := variableOf(r.old)
			if name != variableOf(r.now) || getenv(old) == "" {
				continue
			}
			l.Warnings = append(l.Warnings, fmt.Sprintf("the variable %s is called %s now; rename it", old, name))
			l.Origins[r.now] = old
			return getenv(old)
		}
		return ""
	}
}

// StrangeVariable says of a variable with the prefix of settings that no setting is called so, and which it may be. It is
// empty for all others, and for those that the build and the tests know.
func StrangeVariable(name string) string {
	others := []string{"PLANETAG_ORT_LIB", "PLANETAG_REQUIRE_ALL", "PLANETAG_UPDATE_GOLDEN", "PLANETAG_KAFKA"}
	if !strings.HasPrefix(name, envPrefix) || slices.Contains(others, name) {
		return ""
	}
	var known []string
	for _, key := range valueKeys(reflect.TypeFor[Config](), "") {
		known = append(known, variableOf(key))
	}
	for _, r := range renamings() {
		if name == variableOf(r.old) {
			return ""
		}
	}
	if slices.Contains(known, name) {
		return ""
	}
	near := slices.MinFunc(known, func(a, b string) int { return editDistance(name, a) - editDistance(name, b) })
	return fmt.Sprintf("the variable %s means nothing, did you mean %s?", name, near)
}
