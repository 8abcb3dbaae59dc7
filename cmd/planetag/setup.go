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

// config loads the configuration and lays the global flags over it. An empty path means defaults and environment.
func (g *global) config(path string) (pipeline.Config, error) {
	cfg, err := pipeline.LoadConfig(path, os.Getenv)
	if err != nil {
		return pipeline.Config{}, err
	}
	for _, f := range []struct {
		flag string
		to   *string
	}{{g.bundle, &cfg.Bundle.Path}, {g.library, &cfg.Bundle.Library}, {g.logLevel, &cfg.Log.Level}, {g.logFormat, &cfg.Log.Format}} {
		if f.flag != "" {
			*f.to = f.flag
		}
	}
	return cfg, cfg.Validate()
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
