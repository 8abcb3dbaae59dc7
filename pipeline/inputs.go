package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"planetag/consumer"
	"planetag/pipeline/mapping"
)

// InputReader understands records of the input topic as input.map says. The zero value takes values as references.
type InputReader struct {
	program  *mapping.Program  // nil: plain
	registry *mapping.Registry // nil: values are JSON
	bucket   string            // of references that name none
}

// NewInputReader compiles the mapping and opens its file; nothing is connected to. The error wraps ErrConfig.
func NewInputReader(cfg Config) (*InputReader, error) {
	program, err := compileMapping(mapping.Input, cfg.Input.Map)
	if err != nil {
		return nil, err
	}
	registry, err := cfg.Input.Registry.registry()
	if err != nil {
		return nil, err
	}
	return &InputReader{program: program, registry: registry, bucket: cfg.S3.Bucket}, nil
}

// Asked is one thing that a record asks for. Err is why it cannot be understood, while others of the same record can.
type Asked struct {
	Input
	Err error
}

// Read lists what a record asks for: nothing, one photo, or several, in order. The error wraps ErrReference,
// mapping.ErrMap or mapping.ErrRegistry, or is the reason why ctx ended.
func (r *InputReader) Read(ctx context.Context, rec consumer.Record) ([]Asked, error) {
	if r.registry != nil && rec.Value != nil {
		value, err := r.registry.Value(ctx, rec)
		if err != nil {
			return nil, err
		}
		rec.Value = value
	}
	if r.program == nil {
		in, err := ParseReference(rec, r.bucket)
		if err != nil {
			return nil, err
		}
		return []Asked{{Input: in}}, nil
	}
	outputs, err := r.Map(ctx, rec)
	if err != nil {
		return nil, err
	}
	list := make([]Asked, len(outputs))
	for i, output := range outputs {
		list[i].Input, list[i].Err = parseMapped(output, rec.Key, r.bucket)
	}
	if playedBack(rec) {
		lookFirst(list)
	}
	return list, nil
}

// playedBack tells a dead letter that somebody put back.
func playedBack(rec consumer.Record) bool {
	return slices.ContainsFunc(rec.Headers, func(h consumer.Header) bool { return h.Key == headerOriginalOffset })
}

// lookFirst keeps the removals of a record that is played back because of another part of it from taking a photo away that
// has come again since.
func lookFirst(list []Asked) {
	for i, a := range list {
		if a.Kind == RemovedInput && a.Reference.Key != "" {
			list[i].Kind, list[i].IfGone = PhotoInput, true
		}
	}
}

// Map returns what the program makes of a record that has no frame, before it is understood.
func (r *InputReader) Map(ctx context.Context, rec consumer.Record) ([]any, error) {
	value, err := mapping.Decode(rec.Value)
	if err != nil {
		return nil, err
	}
	if r.program == nil {
		return []any{value}, nil
	}
	return r.program.Run(ctx, value, mapping.VariablesOf(rec))
}

// parseMapped reads one output of a mapping: a reference or album_complete as in ParseReference, null for the photo whose
// id is the record's key, or a reference with "removed": true, whose photo is gone, or with "removed": "if_gone", whose
// photo is gone if its object is.
func parseMapped(output any, key []byte, defaultBucket string) (Input, error) {
	if output == nil {
		return parseRemoved(key, defaultBucket)
	}
	text, err := mapping.Encode(output)
	if err != nil {
		return Input{}, err
	}
	f, err := parseFields(text)
	if err != nil {
		return Input{}, fmt.Errorf("%w (it is what input.map made of the record: %s)", err, excerpt(text))
	}
	var removed any
	f.into("removed", &removed, "true, false or \"if_gone\"")
	switch removed {
	case nil, false, true, "if_gone":
	default:
		f.refuse("removed is %s, which is not true, false or \"if_gone\"", excerpt(f.raw["removed"]))
	}
	if removed == true && !f.has("key") && f.has("photo_id") {
		id := f.text("photo_id", maxIDBytes)
		if *f.err != nil {
			return Input{}, *f.err
		}
		return parseRemoved([]byte(id), defaultBucket)
	}
	in, err := parseInput(f, defaultBucket)
	if err != nil {
		return Input{}, err
	}
	if in.Kind == PhotoInput {
		in.IfGone = removed == "if_gone"
		if removed == true {
			in.Kind = RemovedInput
		}
	}
	return in, nil
}

// Carried is the record with the headers that its answers carry on. Those of a CloudEvent and of a schema registry say what
// the record's value is, and would be wrong about the answer's.
func (r *InputReader) Carried(rec consumer.Record) consumer.Record {
	if r.program == nil && r.registry == nil {
		return rec
	}
	rec.Headers = slices.DeleteFunc(slices.Clone(rec.Headers), func(h consumer.Header) bool {
		return strings.HasPrefix(h.Key, "ce_") || strings.EqualFold(h.Key, "content-type") || mapping.IsSchemaHeader(h.Key)
	})
	return rec
}
