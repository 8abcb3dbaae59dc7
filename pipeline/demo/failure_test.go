package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"planetag/enrich/bundle"
	"planetag/enrich/infer"
	"planetag/pipeline"
)

func TestRunFailsClearly(t *testing.T) {
	needLibrary(t)
	noLeaks(t)
	silent := options(t, tiny)
	silent.Config, silent.Attach, silent.Patience = parts(t), true, 300*time.Millisecond
	silent.Folder = folderOf(t, map[string]string{"rome/1.jpg": "red", "alone.jpg": "grey"})
	bucketless := silent
	bucketless.Config.S3.Bucket = ""
	libraryless := options(t, tiny)
	libraryless.Config.Bundle.Library = "/no/such/library.so"
	nowhere := options(t, tiny)
	nowhere.Folder = "/no/such/folder"
	for _, row := range []struct {
		story string
		o     Options
		is    error
		says  string
	}{
		{"nobody works", silent, ErrSilent, "alone.jpg, rome/1.jpg"},
		{"no bucket to put photos into", bucketless, pipeline.ErrConfig, "s3.bucket"},
		{"no bundle", options(t, t.TempDir()), pipeline.ErrConfig, "bundle"},
		{"no library", libraryless, infer.ErrLibrary, "/no/such/library.so"},
		{"no folder", nowhere, ErrFolder, "/no/such/folder"},
		{"a bundle with a flipped byte", options(t, flipped(t)), bundle.ErrBundle, "cnn.onnx"},
	} {
		_, err := Run(context.Background(), row.o, io.Discard)
		if !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.story, err)
		}
	}
}

// flipped is the tiny bundle with one bit of the CNN turned over.
func flipped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cnn.onnx")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// endAt cancels once a text was written: the person who presses ^C at that moment.
type endAt struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (w *endAt) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.text) {
		w.cancel()
	}
	return n, err
}

func TestInterrupted(t *testing.T) {
	needLibrary(t)
	for _, row := range []struct {
		story, at string
		keep      bool
		is        error
	}{
		{"before the worker is ready", "✓ config", false, context.Canceled},
		{"while answers arrive", "✓ worker", false, context.Canceled},
		{"after the summary, when kept", "--attach", true, nil},
	} {
		t.Run(row.story, func(t *testing.T) {
			noLeaks(t)
			ctx, cancel := context.WithCancel(context.Background())
			out := &endAt{text: row.at, cancel: cancel}
			o := options(t, tiny)
			o.Keep = row.keep
			if _, err := Run(ctx, o, out); !errors.Is(err, row.is) {
				t.Errorf("got %v, want %v\n%s", err, row.is, out.String())
			}
			if row.keep && !strings.Contains(out.String(), "Everything keeps running") {
				t.Errorf("screen:\n%s", out.String())
			}
		})
	}
}

// Where photos cannot be decoded in processes, the message says which setting to change, and the demo must obey it.
func TestSettingsOfTheWorkerHoldInTheDemo(t *testing.T) {
	asked := pipeline.DefaultConfig()
	asked.Decode.Isolation, asked.Batch.MaxSize, asked.Albums.Mode = "none", 3, "hmm"
	got, err := local(t.Context(), asked, "localhost:1", "http://localhost:2")
	if err != nil {
		t.Fatal(err)
	}
	if got.Decode != asked.Decode || got.Batch != asked.Batch || got.Albums.Mode != "hmm" || !slices.Equal(got.Kafka.Brokers, []string{"localhost:1"}) {
		t.Errorf("the worker gets %+v", got)
	}
}
