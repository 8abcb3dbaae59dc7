package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"planetag/deploy/realkafka"
)

// grant is a row of the page's list of what the worker may do at the brokers.
type grant struct {
	stage, resource, name, operation string // as they are written there
	acl                              kmsg.CreateACLsRequestCreation
}

// securityPage is docs/security.md.
func securityPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(realkafka.Root(t), "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// grants are the rows of the page's table for Kafka. Those of a stage are at least its topics', its group's and its transactional ids'.
func grants(t *testing.T) []grant {
	t.Helper()
	_, table, found := strings.Cut(securityPage(t), "| stage | resource | pattern | name | operation |\n")
	if !found {
		t.Fatal("docs/security.md has no table of Kafka's access control entries")
	}
	var list []grant
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i, cell := range cells {
			cells[i] = strings.Trim(cell, " `")
		}
		if len(cells) == 5 && !strings.HasPrefix(cells[0], "---") {
			list = append(list, newGrant(t, cells))
		}
	}
	if len(list) < 8 {
		t.Fatalf("the table of Kafka's access control entries has %d rows", len(list))
	}
	return list
}

func newGrant(t *testing.T, cells []string) grant {
	t.Helper()
	g := grant{stage: cells[0], resource: cells[1], name: cells[3], operation: cells[4], acl: kmsg.NewCreateACLsRequestCreation()}
	var wrong [3]error
	g.acl.ResourceType, wrong[0] = kmsg.ParseACLResourceType(g.resource)
	g.acl.ResourcePatternType, wrong[1] = kmsg.ParseACLResourcePatternType(cells[2])
	g.acl.Operation, wrong[2] = kmsg.ParseACLOperation(g.operation)
	for _, err := range wrong {
		if err != nil {
			t.Fatalf("the row %v: %v", cells, err)
		}
	}
	g.acl.ResourceName, g.acl.Host, g.acl.PermissionType = g.name, "*", kmsg.ACLPermissionTypeAllow
	return g
}

// ofStage keeps the rows of a stage.
func ofStage(list []grant, stage string) []grant {
	var rows []grant
	for _, g := range list {
		if g.stage == stage {
			rows = append(rows, g)
		}
	}
	return rows
}
