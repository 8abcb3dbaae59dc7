package index

import (
	"encoding/json"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

// mapped is the document of a location that output.map has changed, in brief: what decides which answer stands, and whose it is. The presets keep these names, in
// the record or one level below it; nil is returned where a program of somebody's own does not.
func mapped(rec consumer.Record) *Document {
	value := rec.Value
	var within struct {
		Payload    json.RawMessage `json:"payload"`    // connect
		Data       json.RawMessage `json:"data"`       // cloudevents
		Properties json.RawMessage `json:"properties"` // geojson
	}
	if json.Unmarshal(value, &within) != nil {
		return nil
	}
	for _, inner := range []json.RawMessage{within.Payload, within.Data, within.Properties} {
		if inner != nil {
			value = inner
		}
	}
	var l struct {
		PhotoID     string          `json:"photo_id"`
		Status      string          `json:"status"`
		Stage       string          `json:"stage"`
		Revision    int64           `json:"revision"`
		Model       json.RawMessage `json:"model"` // flat: the bundle's name
		ModelSHA256 string          `json:"model_sha256"`
		Time        time.Time       `json:"time"`
	}
	if json.Unmarshal(value, &l) != nil || l.PhotoID != string(rec.Key) || l.Stage != pipeline.StagePhoto && l.Stage != pipeline.StageAlbum || l.Revision < 1 {
		return nil
	}
	d := &Document{
		PhotoID: l.PhotoID, Status: l.Status, Stage: l.Stage, Revision: l.Revision, Time: l.Time, Deleted: l.Status == pipeline.StatusOptedOut,
		Record: Record{rec.Partition, rec.Offset}, Model: &Model{SHA256: l.ModelSHA256},
	}
	if json.Unmarshal(l.Model, &d.Model.Bundle) != nil {
		_ = json.Unmarshal(l.Model, d.Model) // absent where nobody looked at the photo
	}
	if d.Model.Bundle == "" {
		d.Model = nil
	}
	if d.Deleted {
		d.Stage = ""
	}
	d.version = d.standing().ownVersion()
	return d
}
