package deploy_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// policy is the bucket's policy in docs/security.md.
func policy(t *testing.T) string {
	t.Helper()
	_, text, found := strings.Cut(securityPage(t), "```json\n")
	text, _, closed := strings.Cut(text, "```")
	if !found || !closed || !json.Valid([]byte(text)) {
		t.Fatalf("docs/security.md has no policy for the bucket: %q", text)
	}
	return text
}
