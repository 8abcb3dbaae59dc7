package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"strings"
)

//go:embed pytorch.py
var pytorchScript string

// pytorch measures the demo's network in PyTorch, if that is there; where it is not, the table says so.
func (c *check) pytorch(ctx context.Context, python string) {
	const bundle = "PyTorch"
	cmd := exec.CommandContext(ctx, python, "-", fmt.Sprint(c.span.Seconds()))
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(pytorchScript), &complaint
	out, err := cmd.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		c.add(bundle, "EfficientNet-Lite0", "not measured: %v: %s", err, lines[len(lines)-1])
		return
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 4 {
			c.add(bundle, fmt.Sprintf("EfficientNet-Lite0 on %s in %s, batch of %s", f[0], f[1], f[2]), "%s photos/s", f[3])
		}
	}
}
