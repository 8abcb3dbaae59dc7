package mapping

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"

	"planetag/consumer"
)

// ErrRegistry says that the schema registry could not be asked, or did not answer as one does: it may later.
var ErrRegistry = errors.New("schema registry")

const (
	frameBytes  = 5                   // of Confluent's wire format: a zero and the schema's id, big-endian
	guidHeader  = "__value_schema_id" // a one and the schema's GUID, for values that are not framed
	keyHeader   = "__key_schema_id"   // the same of the key
	guidBytes   = 17
	askTime     = 10 * time.Second // for one request
	unknownTime = 30 * time.Second // for which a schema that is not there is not asked for again
)

// RegistryOptions say how to reach a schema registry.
type RegistryOptions struct {
	URL                string
	Username, Password string // both empty: no authentication
	TLS                *tls.Config
}

// Registry decodes values that a schema registry knows the schema of: Avro, and JSON with a JSON Schema. It keeps every
// schema that it got, as a schema never changes under its id.
type Registry struct {
	client *sr.Client
	asking chan struct{} // holds one token: one request at a time, as a thousand records want the same schema

	mu      sync.Mutex
	schemas map[string]schema // by "id 7" or "guid 0123…"
}

// schema is what is known of one; decode is nil for JSON, which lies behind the frame as it is.
type schema struct {
	decode *avro.Schema
	unfit  error // wraps ErrMap
	until  time.Time
}

// NewRegistry makes a client; nothing is asked yet. An error wraps ErrProgram.
func NewRegistry(o RegistryOptions) (*Registry, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	options := []sr.ClientOpt{sr.URLs(o.URL), sr.UserAgent("planetag"), sr.HTTPClient(&http.Client{Timeout: askTime, Transport: transport})}
	if o.Username != "" {
		options = append(options, sr.BasicAuth(o.Username, o.Password))
	}
	client, err := sr.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("%w: schema registry: %w", ErrProgram, err)
	}
	return &Registry{client: client, asking: make(chan struct{}, 1), schemas: make(map[string]schema)}, nil
}

// Value is a record's value as JSON. One without a frame is returned as it is. The error wraps ErrMap or ErrRegistry, or
// is the reason why ctx ended.
func (r *Registry) Value(ctx context.Context, rec consumer.Record) ([]byte, error) {
	name, body := frame(rec)
	if name == "" {
		return rec.Value, nil
	}
	s, err := r.schema(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.decode == nil {
		return body, nil
	}
	var v any
	rest, err := s.decode.Decode(body, &v)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow it", len(rest))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: value is not Avro of schema %s: %w", ErrMap, name, err)
	}
	text, err := s.decode.EncodeJSON(v)
	if err != nil {
		return nil, fmt.Errorf("%w: value of schema %s as JSON: %w", ErrMap, name, err)
	}
	return text, nil
}

// frame takes the schema's name, "" if there is none, from a value.
func frame(rec consumer.Record) (name string, body []byte) {
	for _, h := range rec.Headers {
		if h.Key == guidHeader && len(h.Value) == guidBytes && h.Value[0] == 1 {
			x := hex.EncodeToString(h.Value[1:])
			return fmt.Sprintf("guid %s-%s-%s-%s-%s", x[:8], x[8:12], x[12:16], x[16:20], x[20:]), rec.Value
		}
	}
	if len(rec.Value) < frameBytes || rec.Value[0] != 0 {
		return "", rec.Value
	}
	return fmt.Sprintf("id %d", binary.BigEndian.Uint32(rec.Value[1:frameBytes])), rec.Value[frameBytes:]
}

// IsSchemaHeader tells the headers that name the schema of a value or a key.
func IsSchemaHeader(name string) bool { return name == guidHeader || name == keyHeader }

// schema returns a schema that can be decoded with, asking for it once.
func (r *Registry) schema(ctx context.Context, name string) (schema, error) {
	if s, ok := r.kept(name); ok {
		return s, s.unfit
	}
	select {
	case r.asking <- struct{}{}:
	case <-ctx.Done():
		return schema{}, context.Cause(ctx)
	}
	defer func() { <-r.asking }()
	if s, ok := r.kept(name); ok { // another record asked meanwhile
		return s, s.unfit
	}
	s, err := r.ask(ctx, name)
	if err != nil {
		if ctx.Err() != nil {
			return schema{}, context.Cause(ctx)
		}
		return schema{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.schemas[name] = s
	return s, s.unfit
}

func (r *Registry) kept(name string) (schema, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.schemas[name]
	return s, ok && (s.unfit == nil || time.Now().Before(s.until))
}

// ask gets a schema and compiles it. What the registry says for good is in the schema; the error is of the moment.
func (r *Registry) ask(ctx context.Context, name string) (schema, error) {
	text, err := r.text(ctx, name)
	switch {
	case isMissing(err):
		return unfit("value is of schema %s, which the registry does not know", name), nil
	case err != nil:
		// Not %w: a time-out of the HTTP client must not be taken for the end of ctx, nor for anything else.
		return schema{}, fmt.Errorf("%w: get schema %s: %s", ErrRegistry, name, err.Error())
	case text.Type == sr.TypeJSON:
		return schema{}, nil
	case text.Type != sr.TypeAvro:
		return unfit("value is of schema %s, which is %s; Avro and JSON are read", name, text.Type), nil
	}
	var cache avro.SchemaCache
	if err := r.referenced(ctx, &cache, text.References, make(map[sr.SchemaReference]bool)); err != nil {
		return schema{}, fmt.Errorf("%w: get what schema %s refers to: %s", ErrRegistry, name, err.Error())
	}
	decode, err := cache.Parse(text.Schema)
	if err != nil {
		return unfit("schema %s cannot be used: %v", name, err), nil
	}
	return schema{decode: decode}, nil
}

func unfit(format string, args ...any) schema {
	return schema{unfit: fmt.Errorf("%w: "+format, append([]any{ErrMap}, args...)...), until: time.Now().Add(unknownTime)}
}

func (r *Registry) text(ctx context.Context, name string) (sr.Schema, error) {
	var id int
	if _, err := fmt.Sscanf(name, "id %d", &id); err == nil {
		return r.client.SchemaByID(ctx, id)
	}
	s, err := r.client.SchemaByGUID(ctx, name[len("guid "):])
	return s.Schema, err
}

// referenced puts the named types of other schemas into the cache, those that they need themselves first.
func (r *Registry) referenced(ctx context.Context, cache *avro.SchemaCache, list []sr.SchemaReference, seen map[sr.SchemaReference]bool) error {
	for _, ref := range list {
		if seen[ref] {
			continue
		}
		seen[ref] = true
		s, err := r.client.SchemaByVersion(ctx, ref.Subject, ref.Version)
		if err != nil {
			return err
		}
		if err := r.referenced(ctx, cache, s.References, seen); err != nil {
			return err
		}
		if _, err := cache.Parse(s.Schema.Schema); err != nil {
			return err
		}
	}
	return nil
}

func isMissing(err error) bool {
	var answer *sr.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && answer.ErrorCode == sr.ErrSchemaNotFound.Code
}
