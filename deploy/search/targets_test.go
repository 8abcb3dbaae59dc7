package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planetag/deploy/realkafka"
	"planetag/pipeline"
	"planetag/pipeline/index"
	"planetag/pipeline/index/opensearch"
)

// target is one search index of a real server, as the command sees it and as those see it who search.
type target interface {
	server
	asked
}

type server interface {
	name() string
	// index is the name of the index or the table.
	index() string
	// open is what `planetag index --create` does first.
	open(ctx context.Context, t *testing.T, cfg pipeline.Config) index.Sink
}

type asked interface {
	// ask runs a question of this directory and returns the names it answers with, of photos, cells or albums, and their counts.
	ask(ctx context.Context, t *testing.T, question string) map[string]int
	// count is how many documents there are, -1 when nobody answers.
	count(ctx context.Context) int
	// all returns every document, those of removed photos too, with all that planetag wrote, by photo id.
	all(ctx context.Context, t *testing.T) map[string]document
}

// document is what both kinds of index can be compared by.
type document struct {
	Deleted           bool
	Status, Stage     string
	Revision          int64
	Lat, Lon          float64
	Radius            int64
	Cell, Country     string
	Ancestors         string
	Album             string
	MovedM            float64
	TakenAt           int64
	Model             string
	Shape             bool
	Partition, Offset int64
}

// searchServer is OpenSearch, where nothing else is said, or Elasticsearch.
type searchServer struct {
	url, in string
	secure  *realkafka.Elasticsearch         // who is there
	login   func(*pipeline.OpenSearchConfig) // how planetag gets in; those who ask are the administrator
}

func (s *searchServer) name() string {
	if s.secure != nil {
		return "elasticsearch"
	}
	return "opensearch"
}

func (s *searchServer) index() string { return s.in }

func (s *searchServer) open(ctx context.Context, t *testing.T, cfg pipeline.Config) index.Sink {
	t.Helper()
	cfg.Index.OpenSearch.Addresses, cfg.Index.OpenSearch.Index = []string{s.url}, s.in
	if s.secure != nil {
		s.login(&cfg.Index.OpenSearch)
		s.create(ctx, t)
	}
	x, err := opensearch.Open(ctx, cfg.Index, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// request sends one request and decodes the answer.
func (s *searchServer) request(ctx context.Context, t *testing.T, method, path string, body []byte, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := s.do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %v, status %s: %s", method, path, err, answer.Status, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
}

// do sends a request as the administrator.
func (s *searchServer) do(req *http.Request) (*http.Response, error) {
	if s.secure == nil {
		return http.DefaultClient.Do(req)
	}
	req.SetBasicAuth("admin", s.secure.Password)
	return s.secure.Client().Do(req)
}

// found is the part of an answer to a search that the tests look at.
type found struct {
	Hits struct {
		Hits []struct {
			ID     string         `json:"_id"`
			Source index.Document `json:"_source"`
			Sort   []any          `json:"sort"`
		} `json:"hits"`
	} `json:"hits"`
	Aggregations map[string]struct {
		Buckets []struct {
			Key   string `json:"key"`
			Count int    `json:"doc_count"`
		} `json:"buckets"`
	} `json:"aggregations"`
}

func (s *searchServer) ask(ctx context.Context, t *testing.T, question string) map[string]int {
	t.Helper()
	s.request(ctx, t, http.MethodPost, "/"+s.in+"/_refresh", nil, nil)
	var got found
	s.request(ctx, t, http.MethodPost, "/"+s.in+"/_search", read(t, "opensearch/"+question+".json"), &got)
	names := make(map[string]int)
	for _, hit := range got.Hits.Hits {
		names[hit.Source.PhotoID] = 1
	}
	for _, of := range got.Aggregations {
		for _, bucket := range of.Buckets {
			names[bucket.Key] = bucket.Count
		}
	}
	return names
}

func (s *searchServer) count(ctx context.Context) int {
	var of struct {
		Count int `json:"count"`
	}
	for _, path := range []string{"/_refresh", "/_count"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/"+s.in+path, nil)
		if err != nil {
			return -1
		}
		answer, err := s.do(req)
		if err != nil {
			return -1
		}
		err = json.NewDecoder(answer.Body).Decode(&of)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			return -1
		}
	}
	return of.Count
}

func (s *searchServer) all(ctx context.Context, t *testing.T) map[string]document {
	t.Helper()
	s.request(ctx, t, http.MethodPost, "/"+s.in+"/_refresh", nil, nil)
	docs := make(map[string]document)
	after := ""
	for {
		var got found
		s.request(ctx, t, http.MethodPost, "/"+s.in+"/_search", fmt.Appendf(nil, `{"size": 5000, "sort": [{"photo_id": "asc"}]%s}`, after), &got)
		for _, hit := range got.Hits.Hits {
			docs[hit.Source.PhotoID] = comparable(hit.Source)
			last, _ := json.Marshal(hit.Sort)
			after = fmt.Sprintf(`, "search_after": %s`, last)
		}
		if len(got.Hits.Hits) == 0 {
			return docs
		}
	}
}

// comparable is a document of OpenSearch as the tests compare it.
func comparable(d index.Document) document {
	c := document{
		Deleted: d.Deleted, Status: d.Status, Stage: d.Stage, Revision: d.Revision, Radius: d.RadiusP90M, Cell: d.Cell,
		Ancestors: strings.Join(d.S2Ancestors, " "), Shape: d.Shape != nil, Partition: int64(d.Record.Partition), Offset: d.Record.Offset,
	}
	if d.Location != nil {
		c.Lat, c.Lon = d.Location.Lat, d.Location.Lon
	}
	if d.Place != nil {
		c.Country = d.Place.CountryCode
	}
	if d.Album != nil {
		c.Album, c.MovedM = d.Album.ID, d.Album.MovedM
	}
	if d.Model != nil {
		c.Model = d.Model.Bundle
	}
	if !d.TakenAt.IsZero() {
		c.TakenAt = d.TakenAt.UnixMilli()
	}
	return c
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fill runs the indexer until the target holds what is on the topic.
func fill(ctx context.Context, t *testing.T, to target, cfg pipeline.Config) index.Figures {
	t.Helper()
	figures, err := index.Run(ctx, index.Options{
		Config: cfg, Sink: to.open(ctx, t, cfg), Target: to.name() + to.index(), Once: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("index into %s: %v", to.name(), err)
	}
	return figures
}
