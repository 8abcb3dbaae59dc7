package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"planetag/enrich/infer"
	"planetag/pipeline"
)

// ofBundle are the checks of a bundle that are about its files alone; the others are about how it runs here.
func ofBundle(name string) bool { return name == "manifest" || name == "files" || name == "cells" }

// bundle verifies manifest, checksums and cells.
func (c *checking) bundle(ctx context.Context, k *Check) {
	v, err := pipeline.VerifyBundle(ctx, c.cfg)
	c.verified, c.verifyErr = v, err
	if len(v.Checks) == 0 && err != nil {
		k.fail(err, err.Error(), "set bundle.path to the directory of a bundle")
		return
	}
	for _, check := range v.Checks {
		switch {
		case !ofBundle(check.Name) || check.Skipped:
		case !check.OK:
			k.fail(err, fmt.Sprintf("%s: %s: %s", v.Bundle, check.Name, check.Detail), "get the bundle again from where it came; `planetag bundle verify` tells when it is whole")
		default:
			k.found("%s", check.Detail)
		}
	}
}

// runtime says whether the bundle runs here: decoder, ONNX Runtime, golden photos; and has it warm for the next check.
func (c *checking) runtime(ctx context.Context, k *Check) {
	for _, check := range c.verified.Checks {
		if ofBundle(check.Name) || check.OK || check.Skipped {
			continue
		}
		remedy := "get a bundle that was made for this version of planetag"
		if errors.Is(c.verifyErr, infer.ErrLibrary) {
			remedy = "set bundle.library or PLANETAG_ORT_LIB to libonnxruntime.so; `make setup` installs it"
		}
		k.fail(c.verifyErr, check.Name+": "+check.Detail, remedy)
		return
	}
	started := time.Now()
	var err error
	if c.model, err = pipeline.OpenModel(ctx, c.cfg); err != nil {
		k.fail(err, err.Error(), "see the message")
		return
	}
	loaded := time.Since(started)
	info := c.model.Info()
	started = time.Now()
	if _, err := c.model.Embed(ctx, [][]byte{make([]byte, info.InputBytes)}); err != nil {
		k.fail(err, err.Error(), "get a bundle that was made for this version of planetag")
		return
	}
	k.found("ONNX Runtime %s on %v, loaded in %d ms, warm: %d ms a photo", info.LibraryVersion, info.Placement, loaded.Milliseconds(), time.Since(started).Milliseconds())
	k.found("golden photos reproduced")
	c.albumMode(k, info.Modes)
}

// albumMode wants the mode that the configuration asks for.
func (c *checking) albumMode(k *Check, modes []string) {
	mode := c.cfg.Albums.Mode
	for _, has := range modes {
		if mode == "" || mode == has {
			return
		}
	}
	k.fail(pipeline.ErrConfig, fmt.Sprintf("albums.mode is %q, and the bundle has %v", mode, modes), "set albums.mode to one of them, or leave it empty")
}

// location takes the photo that was decoded all the way.
func (c *checking) location(ctx context.Context, k *Check) {
	if c.photo == nil {
		k.skip("there is no photo to try")
		return
	}
	e, err := pipeline.Explain(ctx, pipeline.ExplainOptions{Reference: c.photo, Config: c.cfg, Model: c.model})
	switch {
	case err != nil:
		k.fail(configured(err), err.Error(), c.storeRemedy(err, c.photo.Bucket))
	case e.Status == pipeline.StatusDeadLetter:
		k.fail(pipeline.ErrConfig, fmt.Sprintf("%s would be a dead letter, %s: %s", e.Photo, e.ErrorType, e.Reason), "`planetag explain "+e.Photo+"` shows each step")
	default:
		k.found("%s", answerOf(e))
	}
}

// answerOf is the answer to a photo in one line.
func answerOf(e pipeline.Explanation) string {
	var l pipeline.Location
	if err := json.Unmarshal(e.Record, &l); err != nil || l.Location == nil {
		return fmt.Sprintf("%s: %s: %s", e.Photo, e.Status, e.Reason)
	}
	text := fmt.Sprintf("%s: %s at %.4f, %.4f", e.Photo, l.Status, l.Location.Lat, l.Location.Lon)
	if l.RadiusP90M > 0 {
		text += fmt.Sprintf(", nine of ten such answers within %d km", (l.RadiusP90M+999)/1000)
	}
	if place := l.Place.String(); place != "" {
		text += ", " + place
	}
	return text
}
