package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/pipeline/mapping"
)

// OutputWriter renders locations as output.map says. The zero value publishes them as they are.
type OutputWriter struct {
	program *mapping.Program // nil: default
	event   bool             // the values are CloudEvents
}

// NewOutputWriter compiles the mapping and proves it: a program that has no output for one of the kinds of location that
// there are would end the worker later, so it ends the start. The error wraps ErrConfig.
func NewOutputWriter(ctx context.Context, cfg Config) (*OutputWriter, error) {
	program, err := compileMapping(mapping.Output, cfg.Output.Map)
	if err != nil {
		return nil, err
	}
	w := &OutputWriter{program: program, event: cfg.Output.Map == "cloudevents"}
	for _, l := range kindsOfLocation() {
		if _, err := w.Record(ctx, l, cfg.Topics.Locations, nil); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Record is Location.Record with the mapping applied. A location cannot be dropped and must not be published in a form
// that nobody asked for, so a mapping that fails ends the worker: its error wraps ErrConfig.
func (w *OutputWriter) Record(ctx context.Context, l Location, topic string, headers []consumer.Header) (consumer.Record, error) {
	rec, err := l.Record(topic, headers)
	if err != nil || w.program == nil {
		return rec, err
	}
	value, err := mapping.Decode(rec.Value)
	if err != nil {
		return consumer.Record{}, fmt.Errorf("map location of %q: %w", l.PhotoID, err)
	}
	outputs, err := w.program.Run(ctx, value, mapping.VariablesOf(rec))
	switch {
	case ctx.Err() != nil:
		return consumer.Record{}, context.Cause(ctx)
	case err == nil && len(outputs) != 1:
		err = fmt.Errorf("it has %d outputs; each location needs exactly one, as its answer would be lost or come twice", len(outputs))
	case err == nil && outputs[0] == nil:
		err = fmt.Errorf("its output is null, which readers take for a removal")
	}
	if err != nil {
		return consumer.Record{}, fmt.Errorf("%w: output.map: location of %q with status %s: %s", ErrConfig, l.PhotoID, l.Status, err.Error())
	}
	if rec.Value, err = mapping.Encode(outputs[0]); err != nil {
		return consumer.Record{}, fmt.Errorf("%w: output.map: %s", ErrConfig, err.Error())
	}
	if w.event {
		rec.Headers = append(withoutContentType(headers), consumer.Header{Key: "content-type", Value: []byte("application/cloudevents+json; charset=UTF-8")})
	}
	return rec, nil
}

func withoutContentType(headers []consumer.Header) []consumer.Header {
	var kept []consumer.Header
	for _, h := range headers {
		if !strings.EqualFold(h.Key, "content-type") {
			kept = append(kept, h)
		}
	}
	return kept
}

// kindsOfLocation are one of each kind, with as much in it as there can be and with as little.
func kindsOfLocation() []Location {
	day := time.Date(2019, 7, 1, 12, 0, 0, 0, time.UTC)
	confidence, entropy, distance, gap := 0.71, 1.2, int64(1270), 60.0
	model := &ModelOfLocation{Bundle: "demo@1.0.0", SHA256: strings.Repeat("0", 64), PrecisionCapLevel: 12}
	source := Source{Bucket: "images", Key: "rome/1.jpg", Topic: "photos"}
	estimate := &Estimate{Lat: 43.7, Lon: 11.2, RadiusP90M: 160000, Confidence: 0.22}
	estimated := Location{
		PhotoID: "images/rome/1.jpg", Status: StatusEstimated, Stage: StageAlbum, Revision: 3, Location: &Point{Lat: 41.89, Lon: 12.49},
		RadiusP50M: 1800, RadiusP90M: 21000, Confidence: &confidence, Entropy: &entropy, Cell: "132f6", S2Ancestors: []string{"13", "133"},
		Rollup: &Rollup{Cell: "132f", Level: 6, P: 0.6}, Place: &Place{CountryCode: "IT", Country: "Italy", Region: "Lazio", CountryProbability: 0.9},
		Candidates: []CandidateCell{{Cell: "132f6", P: 0.41, Lat: 41.89, Lon: 12.49}}, PhotoOnly: estimate, FromDiary: true,
		Album: &AlbumPart{
			ID: "rome", Mode: "lstm", Size: 14, Position: 3, MovedM: 231000, Anchors: 1, NearestAnchorS: &gap, NearestAnchorSource: "exif", FromAnchors: true,
		},
		Model: model, Source: source, TakenAt: day, Time: day,
	}
	bare := Location{
		PhotoID: "images/1.jpg", Status: StatusEstimated, Stage: StagePhoto, Revision: 1, Location: &Point{}, RadiusP50M: 1, RadiusP90M: 1,
		Model: model, Source: source, Time: day,
	}
	given := Location{
		PhotoID: "images/2.jpg", Status: StatusGiven, Stage: StagePhoto, Revision: 1, Location: &Point{Lat: 41.9, Lon: 12.5},
		Given: &GivenPosition{Lat: 41.9, Lon: 12.5, Source: "exif", DistanceM: &distance, Estimate: estimate}, Model: model, Source: source, Time: day,
	}
	abstained := Location{PhotoID: "images/3.jpg", Status: StatusAbstained, Stage: StagePhoto, Revision: 1, Entropy: &entropy, Model: model, Source: source, Time: day}
	optedOut := Location{PhotoID: "images/4.jpg", Status: StatusOptedOut, Stage: StagePhoto, Revision: 1, Source: source, Time: day}
	return []Location{estimated, bare, given, abstained, optedOut}
}
