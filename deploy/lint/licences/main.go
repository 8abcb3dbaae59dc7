package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: licences PACKAGE…")
		os.Exit(64)
	}
	modules, err := linked(context.Background(), os.Args[1:])
	if err == nil {
		err = report(os.Stdout, modules)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "licences: %d modules are linked, all under a licence of the list\n", len(modules))
}

// module is what `go list` tells of one.
type module struct {
	Path, Version, Dir string
	Main               bool
}

// linked are the modules that packages are made of, without the main one and the standard library.
func linked(ctx context.Context, packages []string) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the dependencies: %w", err)
	}
	var modules []module
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ Module *module }
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the list of dependencies: %w", err)
		}
		if p.Module != nil && !p.Module.Main && !slices.Contains(modules, *p.Module) {
			modules = append(modules, *p.Module)
		}
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	if len(modules) == 0 {
		return nil, errors.New("list the dependencies: there are none, which cannot be")
	}
	return modules, nil
}

// report writes a line per module; its error joins those of the modules that may not be linked.
func report(w io.Writer, modules []module) error {
	var wrong []error
	for _, m := range modules {
		names, err := licencesOf(m.Dir)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s %s: %w", m.Path, m.Version, err))
			continue
		}
		fmt.Fprintf(w, "%-50s %-40s %s\n", m.Path, m.Version, strings.Join(names, ", "))
	}
	return errors.Join(wrong...)
}

// allowed tells whether a licence lets its code be linked into a program under Apache-2.0 whose users owe no more than a copy of the text. MPL-2.0 does: it
// asks for the source of its own files only, which are used here as they are published.
func allowed(licence string) bool {
	return slices.Contains([]string{
		"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSD-2-Clause-Views", "ISC", "MPL-2.0", "Zlib", "Unlicense", "CC0-1.0", "0BSD",
	}, licence)
}

var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)([-._].*)?$`)

// licencesOf names the licences of a module's directory, and refuses one that is not allowed or not known.
func licencesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for its licence: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read its licence: %w", err)
		}
		coverage := licensecheck.Scan(text)
		if coverage.Percent < 75 {
			return nil, fmt.Errorf("%s is no licence that is known (%.0f %% of it is)", entry.Name(), coverage.Percent)
		}
		for _, match := range coverage.Match {
			if !allowed(match.ID) {
				return nil, fmt.Errorf("%s is %s, which is not on the list", entry.Name(), match.ID)
			}
			if !slices.Contains(names, match.ID) {
				names = append(names, match.ID)
			}
		}
	}
	if len(names) == 0 {
		return nil, errors.New("has no licence file")
	}
	return names, nil
}
