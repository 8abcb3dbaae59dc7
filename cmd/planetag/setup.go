package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/lmittmann/tint"

	"planetag/pipeline"
)

// config loads the configuration, lays the global flags over it, and says on standard error what is deprecated in it. An
// empty path means defaults and environment.
func (g *global) config(path string) (pipeline.Config, error) {
	loaded, err := g.load(path)
	for _, w := range loaded.Warnings {
		fmt.Fprintln(g.warnings, "planetag: warning:", w)
	}
	if err != nil {
		return pipeline.Config{}, err
	}
	return loaded.Config, nil
}

// load reads the configuration, lays the global flags over it and says so.
func (g *global) load(path string) (pipeline.Loaded, error) {
	loaded, err := pipeline.ReadConfig(path, os.Getenv)
	if err != nil {
		return loaded, err
	}
	cfg := &loaded.Config
	for _, f := range []struct {
		flag, name, key string
		to              *string
	}{
		{g.bundle, "--bundle", "bundle.path", &cfg.Bundle.Path},
		{g.library, "--ort-lib", "bundle.library", &cfg.Bundle.Library},
		{g.logLevel, "--log-level", "log.level", &cfg.Log.Level},
		{g.logFormat, "--log-format", "log.format", &cfg.Log.Format},
	} {
		if f.flag != "" {
			*f.to, loaded.Origins[f.key] = f.flag, f.name
		}
	}
	return loaded, cfg.Validate()
}

// logger writes to out: coloured lines for a person at a terminal, JSON for a machine elsewhere.
func logger(c pipeline.LogConfig, out *os.File) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, fmt.Errorf("%w: log.level is %q; choose debug, info, warn or error", pipeline.ErrConfig, c.Level)
	}
	text := c.Format == "text" || c.Format == "auto" && isTerminal(out)
	if !text {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})), nil
	}
	return slog.New(tint.NewTextHandler(out, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !colour(out)})), nil
}

// isTerminal says whether a person is likely to read what is written to f.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// colour says whether f may get colours: a terminal that can show them, and nobody who asked for none (no-color.org).
func colour(f *os.File) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && !strings.EqualFold(os.Getenv("TERM"), "dumb")
}
