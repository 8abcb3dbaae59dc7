package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"planetag/consumer"
)

// Variables are what a program can ask for beside the value, in jq's types.
type Variables struct {
	Key       any            // $key: a string, or null when there is none or it is no text
	Headers   map[string]any // $headers: name to string or null; of several of one name the last
	Topic     string         // $topic
	Timestamp string         // $timestamp: of the record, RFC 3339, UTC
}

// VariablesOf are those of one record.
func VariablesOf(rec consumer.Record) Variables {
	vars := Variables{
		Topic: rec.Topic, Headers: make(map[string]any, len(rec.Headers)), Timestamp: rec.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
	}
	if rec.Time.IsZero() {
		vars.Timestamp = time.Unix(0, 0).UTC().Format(time.RFC3339)
	}
	vars.Key = text(rec.Key)
	for _, h := range rec.Headers {
		vars.Headers[h.Key] = text(h.Value)
	}
	return vars
}

func text(b []byte) any {
	if b == nil || !utf8.Valid(b) {
		return nil
	}
	return string(b)
}

// Decode is a record's value as jq sees it; nil is Kafka's null. Numbers keep all of their digits. The error wraps ErrMap.
func Decode(value []byte) (any, error) {
	if value == nil {
		return nil, nil
	}
	if !utf8.Valid(value) {
		return nil, fmt.Errorf("%w: value is not JSON: it is no UTF-8%s", ErrMap, framed(value))
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return nil, fmt.Errorf("%w: value is not JSON: %w%s", ErrMap, err, framed(value))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: value is not JSON: something follows it", ErrMap)
	}
	return v, nil
}

// framed is the remedy for a value that begins as those of a schema registry do.
func framed(value []byte) string {
	if len(value) > frameBytes && value[0] == 0 {
		return "; it begins like one of a schema registry: set input.registry.url"
	}
	return ""
}
