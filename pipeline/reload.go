package pipeline

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Reload is a configuration that was read anew while the worker runs, or why it could not be.
type Reload struct {
	Config Config
	Err    error
}

// The results of a reload, labels of planetag_reloads_total.
const (
	reloadDone   = "done"
	reloadSame   = "unchanged"
	reloadFailed = "failed"
)

// Reloadable are the keys and sections that a reload puts into force; all others need a restart.
func Reloadable() []string {
	return []string{
		"accelerator.", "albums.", "batch.", "bundle.path", "bundle.precision", "bundle.precision_cap_level", "decode.",
		"photos.in_flight", "photos.flush_interval", "photos.flush_records",
	}
}

func isReloadable(key string) bool {
	for _, r := range Reloadable() {
		if key == r || strings.HasSuffix(r, ".") && strings.HasPrefix(key, r) {
			return true
		}
	}
	return false
}

// reloads does what comes in until ctx ends. The bundle that was in use before is let go when no album can need it.
func (w *worker) reloads(ctx context.Context, in <-chan Reload) error {
	defer w.dropFormer()
	var forget <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-forget:
			w.dropFormer()
		case r := <-in:
			result, err := w.reload(ctx, r)
			w.metrics.Reload(result)
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil:
				w.log.Error("reload failed, everything stays as it is", "err", err)
			case result == reloadDone && w.former != nil:
				forget = time.After(w.former.lingering())
			case result == reloadDone:
				forget = nil
			default:
				w.log.Info("reload: nothing has changed")
			}
		}
	}
}

// reload loads, verifies and warms the bundle of a new configuration, and then puts both into force. When anything fails
// nothing is changed.
func (w *worker) reload(ctx context.Context, r Reload) (result string, err error) {
	if r.Err != nil {
		return reloadFailed, r.Err
	}
	cfg, changed, fixed := merged(w.serving.cfg, r.Config)
	if len(fixed) > 0 {
		w.log.Warn("these keys have changed and need a restart", "keys", fixed)
	}
	if cfg.Albums.MaxAge+cfg.Albums.Linger > w.serving.cfg.Albums.MaxAge+w.serving.cfg.Albums.Linger {
		if err := w.client.EnsureTopics(ctx, cfg.topics(), false); err != nil {
			return reloadFailed, fmt.Errorf("check topics: %w", err)
		}
	}
	next, err := w.newServing(ctx, cfg)
	if err != nil {
		return reloadFailed, err
	}
	old, now := w.serving.model.Info(), next.model.Info()
	was, will := albumMode(w.serving.cfg, old), albumMode(cfg, now)
	switch {
	case (was == "none") != (will == "none"):
		w.release(next)
		return reloadFailed, fmt.Errorf("%w: the album mode would go from %s to %s, which needs a restart", ErrConfig, was, will)
	case len(changed) == 0 && old.SHA256 == now.SHA256:
		w.release(next)
		return reloadSame, nil
	}
	next.begin(ctx)
	w.swap(next)
	w.log.Info("reloaded", append(w.tell(now), "was", old.SHA256, "changed", changed)...)
	return reloadDone, nil
}

// merged is the old configuration with what a reload may change taken from the new, the keys of which that is so, and the
// keys that differ and stay.
func merged(old, now Config) (cfg Config, changed, fixed []string) {
	cfg = old
	for _, key := range valueKeys(reflect.TypeFor[Config](), "") {
		to, from := valueOf(&cfg, key), valueOf(&now, key)
		switch {
		case reflect.DeepEqual(to.Interface(), from.Interface()):
		case isReloadable(key):
			to.Set(from)
			changed = append(changed, key)
		default:
			fixed = append(fixed, key)
		}
	}
	return cfg, changed, fixed
}
