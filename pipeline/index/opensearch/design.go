package opensearch

import (
	"context"
	_ "embed" // the design
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"planetag/pipeline"
)

//go:embed index.json
var design []byte

// Design is the settings and the mapping of the index, as JSON; deploy/search has a copy to be changed.
func Design() []byte { return slices.Clone(design) }

// mapping is a field, or a whole mapping: what is below it, and its type.
type mapping struct {
	Type       string             `json:"type"`
	Properties map[string]mapping `json:"properties"`
}

// prepare makes the index where it may, and compares it.
func (x *Index) prepare(ctx context.Context, create bool) error {
	found, err := x.mapping(ctx)
	if err != nil {
		return err
	}
	if found == nil && !create {
		return fmt.Errorf("%w: index.opensearch.index: there is no index %s; --create makes it", pipeline.ErrConfig, x.name)
	}
	if found == nil {
		if err := x.create(ctx); err != nil {
			return err
		}
		if found, err = x.mapping(ctx); err != nil {
			return err
		}
	}
	var want struct {
		Mappings mapping `json:"mappings"`
	}
	if err := json.Unmarshal(design, &want); err != nil {
		return fmt.Errorf("read the design of the index: %w", err)
	}
	if !x.shapes { // an index without a field for them may come from a server that has no such type
		delete(want.Mappings.Properties, "shape")
	}
	if wrong := differences("", want.Mappings.Properties, found); len(wrong) > 0 {
		return fmt.Errorf("%w: the index %s cannot be written into; name another one (index.opensearch.index) and make it with --create:\n%w",
			pipeline.ErrConfig, x.name, errors.Join(wrong...))
	}
	return nil
}

// mapping returns the fields of the index, nil where there is none. An alias is followed to its one index.
func (x *Index) mapping(ctx context.Context) (map[string]mapping, error) {
	var answer map[string]struct {
		Mappings mapping `json:"mappings"`
	}
	status, err := x.call(ctx, http.MethodGet, "/"+x.name+"/_mapping", nil, &answer)
	if err != nil || status == http.StatusNotFound {
		return nil, err
	}
	if len(answer) != 1 {
		return nil, fmt.Errorf("%w: index.opensearch.index: %s stands for %d indices; name one", pipeline.ErrConfig, x.name, len(answer))
	}
	for _, one := range answer {
		if one.Mappings.Properties == nil {
			one.Mappings.Properties = map[string]mapping{}
		}
		return one.Mappings.Properties, nil
	}
	return nil, nil
}

// create puts the template first, so that an index that is deleted and comes back by itself has the right mapping.
func (x *Index) create(ctx context.Context) error {
	template, err := json.Marshal(map[string]any{"index_patterns": []string{x.name}, "template": json.RawMessage(design), "priority": 500})
	if err != nil {
		return fmt.Errorf("encode the index template: %w", err)
	}
	if _, err := x.call(ctx, http.MethodPut, "/_index_template/"+x.name, template, nil); err != nil {
		return fmt.Errorf("make the index template %s: %w", x.name, err)
	}
	if _, err := x.call(ctx, http.MethodPut, "/"+x.name, nil, nil); err != nil {
		return fmt.Errorf("make the index %s: %w", x.name, err)
	}
	return nil
}

// differences says what of want is missing or something else; more fields than those do no harm.
func differences(above string, want, found map[string]mapping) (wrong []error) {
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		field, has := found[name]
		switch expected := want[name]; {
		case !has:
			wrong = append(wrong, fmt.Errorf("field %s%s is missing, it must be %s", above, name, expected.kind()))
		case field.kind() != expected.kind():
			wrong = append(wrong, fmt.Errorf("field %s%s is %s, it must be %s", above, name, field.kind(), expected.kind()))
		default:
			wrong = append(wrong, differences(above+name+".", expected.Properties, field.Properties)...)
		}
	}
	return wrong
}

func (m mapping) kind() string {
	if m.Type == "" {
		return "an object"
	}
	return m.Type
}
