package mapping

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// functions are what programs have beside jq's own:
//
//	"album+7/my+photo%2B1.jpg" | s3key  gives  "album 7/my photo+1.jpg"
//	"s3://images/rome/1.jpg" | s3url    gives  {"bucket":"images","key":"rome/1.jpg"}
func functions() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction("s3key", 0, 0, func(v any, _ []any) any { return value(s3key(v)) }),
		gojq.WithFunction("s3url", 0, 0, func(v any, _ []any) any { return value(s3url(v)) }),
	}
}

func value(v any, err error) any {
	if err != nil {
		return err
	}
	return v
}

// s3key undoes how most stores write a key into an event: escaped like a field of a form. What cannot have been escaped is
// refused rather than taken as it is, because then other keys of the same store, with a plus, would be read wrongly.
func s3key(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("s3key: the key is %s, not a string", gojq.TypeOf(v))
	}
	const remedy = "this store does not escape its keys, so leave s3key out"
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("s3key: %q is not escaped; %s", s, remedy)
	}
	key, err := url.QueryUnescape(s)
	if err != nil {
		return nil, fmt.Errorf("s3key: %q is not escaped: %w; %s", s, err, remedy)
	}
	if !utf8.ValidString(key) {
		return nil, fmt.Errorf("s3key: %q is not UTF-8 when it is unescaped", s)
	}
	return key, nil
}

// s3url takes "s3://bucket/key" apart. The key is taken as it is written: such addresses are not escaped.
func s3url(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("s3url: the address is %s, not a string", gojq.TypeOf(v))
	}
	rest, ok := strings.CutPrefix(s, "s3://")
	bucket, key, found := strings.Cut(rest, "/")
	if !ok || !found || bucket == "" || key == "" {
		return nil, fmt.Errorf("s3url: %q is not s3://bucket/key", s)
	}
	return map[string]any{"bucket": bucket, "key": key}, nil
}
