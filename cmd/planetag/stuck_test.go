package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestAModelThatNeverReturnsEndsTheWorker gives a photo to a worker whose CNN does not return from it: the worker says what is stuck, leaves its group, and
// ends with status 70 when it got stuck again and again. A worker whose CNN returns then answers every photo, each once. (It is another bundle, which
// leaves albums that were begun with the first one at their photo-level answers.)
func TestAModelThatNeverReturnsEndsTheWorker(t *testing.T) {
	world := newWorld(t)
	world.put(t, "white.jpg", "", whitePhoto(t))
	world.publish(t)
	world.allow(10 * killPhotos)
	r := newReader(t, world)

	well := world.env
	world.env = append(well[:len(well):len(well)], "PLANETAG_BUNDLE_PATH="+stuckBundle(t), "PLANETAG_WATCHDOG_MODEL=2s", "PLANETAG_SHUTDOWN_DEADLINE=10s")
	first := world.start(t)
	select {
	case <-first.ended:
	case <-time.After(2 * time.Minute):
		t.Fatalf("the worker waits for ever\n%s", first.log.String())
	}
	if status := first.cmd.ProcessState.ExitCode(); status != exitStuck {
		t.Errorf("exit status %d, want %d\n%s", status, exitStuck, first.log.String())
	}
	for _, says := range []string{"stuck, ending the membership", "model in stage photos since"} {
		if !strings.Contains(first.log.String(), says) {
			t.Errorf("the log does not say %q\n%s", says, first.log.String())
		}
	}

	world.env = well
	second := world.start(t)
	r.await(t, second, "every photo", func() bool { return len(r.photo)+len(r.dead) == len(world.input)-killAlbums })
	second.stop(t)
	r.toTheEnd(t)
	if r.photo["photos/white.jpg"] != 1 {
		t.Errorf("the photo that was stuck has %d locations", r.photo["photos/white.jpg"])
	}
	for _, answered := range []map[string]int{r.photo, r.dead} {
		for photo := range answered {
			if r.photo[photo]+r.dead[photo] != 1 {
				t.Errorf("%s has %d locations and %d dead letters", photo, r.photo[photo], r.dead[photo])
			}
		}
	}
}

// stuckBundle is the tiny bundle with a CNN that does not return from white photos.
func stuckBundle(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "stuck")
	if err := os.CopyFS(dir, os.DirFS("../../enrich/testdata/tiny")); err != nil {
		t.Fatal(err)
	}
	cnn, err := os.ReadFile("../../enrich/testdata/stuck.onnx")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "bundle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	entry := fmt.Sprintf("{path: cnn.onnx, bytes: %d, sha256: %x}", len(cnn), sha256.Sum256(cnn))
	manifest = regexp.MustCompile(`\{path: cnn\.onnx, .*\}`).ReplaceAll(manifest, []byte(entry))
	for name, data := range map[string][]byte{"cnn.onnx": cnn, "bundle.yaml": manifest} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func whitePhoto(t *testing.T) []byte {
	t.Helper()
	white := image.NewRGBA(image.Rect(0, 0, 64, 48))
	draw.Draw(white, white.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, white, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
