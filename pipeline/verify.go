package pipeline

import (
	"context"
	"fmt"
	"io"
	"strings"

	"planetag/enrich"
	"planetag/enrich/decode"
)

// Verification is the outcome of every check of a bundle, in the order in which they were made.
type Verification struct {
	Bundle string        `json:"bundle"` // directory
	OK     bool          `json:"ok"`
	Checks []VerifyCheck `json:"checks"`
}

// VerifyCheck is one named check.
type VerifyCheck struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Skipped bool   `json:"skipped,omitempty"` // an earlier check failed
	Detail  string `json:"detail"`
}

// modelOptions say which bundle the configuration means, and how it is loaded.
func modelOptions(cfg Config) (enrich.Options, error) {
	path, err := FindBundle(cfg.Bundle.Path)
	if err != nil {
		return enrich.Options{}, err
	}
	limits := decode.DefaultLimits()
	limits.MaxBytes = int64(cfg.Photos.MaxObjectBytes)
	return enrich.Options{
		Library: cfg.Bundle.Library, Bundle: path, PrecisionCap: cfg.Bundle.PrecisionCapLevel, Precision: cfg.Bundle.Precision, Limits: limits,
		Device: cfg.Accelerator.Resolve(),
	}, nil
}

// OpenModel loads the configuration's bundle as the worker does, decoder processes included, but for the golden photos,
// which VerifyBundle reproduces. It must be closed.
func OpenModel(ctx context.Context, cfg Config) (*enrich.Model, error) {
	options, err := modelOptions(cfg)
	if err != nil {
		return nil, err
	}
	options.SkipGolden, options.Isolate = true, cfg.Decode.isolate(nil)
	return enrich.Load(ctx, options)
}

// VerifyBundle makes the checks that the worker makes before it takes a bundle into use. The error is that of the first
// check that failed; the verification is complete either way.
func VerifyBundle(ctx context.Context, cfg Config) (Verification, error) {
	options, err := modelOptions(cfg)
	if err != nil {
		return Verification{}, err
	}
	report, err := enrich.Verify(ctx, options)
	v := Verification{Bundle: report.Bundle, OK: report.OK() && err == nil}
	for _, c := range report.Checks {
		v.Checks = append(v.Checks, VerifyCheck(c))
	}
	return v, err
}

// Text writes a line per check: ✓ passed, ✗ failed, – not tried.
func (v Verification) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "bundle %s\n", v.Bundle)
	for _, c := range v.Checks {
		mark := "✗"
		switch {
		case c.OK:
			mark = "✓"
		case c.Skipped:
			mark = "–"
		}
		fmt.Fprintf(&b, "%s %-9s %s\n", mark, c.Name, strings.ReplaceAll(c.Detail, "\n", "\n            "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
