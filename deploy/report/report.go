package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// fence begins and ends the commands that a document marks as runnable: ```sh run.
var fence = regexp.MustCompile("(?ms)^```sh run\n(.*?)^```")

// Runnable are the blocks of commands that a document marks as runnable, in their order.
func Runnable(path string) ([]string, error) {
	document, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	var blocks []string
	for _, found := range fence.FindAllStringSubmatch(string(document), -1) {
		blocks = append(blocks, found[1])
	}
	return blocks, nil
}

// Section puts text between the two comments that carry the section's name, <!-- name --> and <!-- /name -->; what else the document says stays. A document
// that is not there is made.
func Section(path, name, text string) error {
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	document, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		document, err = []byte(begin+end+"\n"), nil
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	before, rest, begins := strings.Cut(string(document), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("write report: %s has no section %q; add <!-- %[2]s --> and <!-- /%[2]s -->, each on a line of its own", path, name)
	}
	if err := os.WriteFile(path, []byte(before+begin+text+end+after), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
