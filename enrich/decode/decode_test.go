package decode

import (
	"errors"
	"strings"
	"testing"
)

// skipWithoutCodec skips where this machine's libvips was built without a
// format; the sentence is part of the contract.
func skipWithoutCodec(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrFormat) && strings.HasSuffix(err.Error(), "is not supported by the installed libvips") {
		t.Skip(err)
	}
}
