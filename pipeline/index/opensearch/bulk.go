package opensearch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"planetag/pipeline"
	"planetag/pipeline/index"
)

const bulkPath = "/_bulk"

// maxID is the most bytes that the server takes as a document's id.
const maxID = 512

// id is the photo's own id, or its hash where the server would refuse that; photo_id is in the document in any case.
func id(photoID string) string {
	if len(photoID) <= maxID {
		return photoID
	}
	sum := sha256.Sum256([]byte(photoID))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// action is the line before each document.
type action struct {
	Index target `json:"index"`
}

type target struct {
	Index       string `json:"_index"`
	ID          string `json:"_id"`
	Version     int64  `json:"version"`
	VersionType string `json:"version_type"`
}

// item is what the server says of one document.
type item struct {
	Status int             `json:"status"`
	Error  json.RawMessage `json:"error"`
}

// Write implements index.Sink by one bulk request.
func (x *Index) Write(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	lines.SetEscapeHTML(false)
	for _, doc := range docs {
		to := target{Index: x.name, ID: id(doc.PhotoID), Version: doc.Version(), VersionType: "external"}
		if err := errors.Join(lines.Encode(action{to}), lines.Encode(doc)); err != nil {
			return nil, fmt.Errorf("encode photo %q: %w", doc.PhotoID, err)
		}
	}
	var answer struct {
		Items []map[string]item `json:"items"`
	}
	status, err := x.call(ctx, http.MethodPost, bulkPath, body.Bytes(), &answer)
	if status == http.StatusRequestEntityTooLarge && len(docs) > 1 {
		return x.halves(ctx, docs)
	}
	if err != nil {
		return nil, err
	}
	if len(answer.Items) != len(docs) {
		return nil, fmt.Errorf("%w: %d documents were sent, the answer has %d", ErrUnavailable, len(docs), len(answer.Items))
	}
	outcomes := make([]index.Outcome, len(docs))
	for i, one := range answer.Items {
		outcomes[i] = one["index"].outcome()
	}
	return outcomes, nil
}

// halves sends what was too much for one request in two.
func (x *Index) halves(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	first, err := x.Write(ctx, docs[:len(docs)/2])
	if err != nil {
		return nil, err
	}
	second, err := x.Write(ctx, docs[len(docs)/2:])
	return append(first, second...), err
}

func (i item) outcome() index.Outcome {
	err := fmt.Errorf("the index says status %d: %s", i.Status, i.Error)
	switch {
	case i.Status >= 200 && i.Status < 300:
		return index.Outcome{Result: index.Written}
	case i.Status == http.StatusConflict:
		return index.Outcome{Result: index.Newer}
	case i.Status == http.StatusBadRequest || i.Status == http.StatusRequestEntityTooLarge:
		return index.Outcome{Result: index.Refused, Err: err}
	case i.Status == http.StatusForbidden && !bytes.Contains(i.Error, []byte("cluster_block_exception")):
		return index.Outcome{Result: index.Refused, Err: err}
	}
	return index.Outcome{Result: index.Busy, Err: err} // 429, 503, a shard without its primary, an index that is being made
}

// Standings implements index.Sink by one request for the few fields that matter.
func (x *Index) Standings(ctx context.Context, photoIDs []string) (map[string]index.Standing, error) {
	ids := make([]string, len(photoIDs))
	for i, photoID := range photoIDs {
		ids[i] = id(photoID)
	}
	body, err := json.Marshal(map[string]any{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("encode photo ids: %w", err)
	}
	var answer struct {
		Docs []struct {
			Found   bool           `json:"found"`
			Version int64          `json:"_version"`
			Source  index.Document `json:"_source"`
		} `json:"docs"`
	}
	status, err := x.call(ctx, http.MethodPost, "/"+x.name+"/_mget?_source_includes=photo_id,deleted,stage,revision,record", body, &answer)
	if err == nil && status == http.StatusNotFound {
		err = fmt.Errorf("%w: index.opensearch.index: %s is gone", pipeline.ErrConfig, x.name)
	}
	if err != nil {
		return nil, err
	}
	held := make(map[string]index.Standing)
	for _, doc := range answer.Docs {
		if doc.Found {
			held[doc.Source.PhotoID] = doc.Source.Standing(doc.Version)
		}
	}
	return held, nil
}
