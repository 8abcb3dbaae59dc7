package chaos

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planetag/pipeline"
)

// fill puts the few objects into the bucket that all references share: photos that the tiny bundle tells apart by their colour, and objects that are
// no photos. "gone.jpg" is named by references and is not there.
func (s *stageSet) fill(t *testing.T) {
	t.Helper()
	objects := map[string]string{"empty.jpg": "", "text.jpg": "no photo, but words"}
	for _, name := range []string{"red.jpg", "green.jpg", "blue.jpg", "grey.jpg"} {
		data, err := os.ReadFile(filepath.Join(s.bundle(), "golden", name))
		if err != nil {
			t.Fatal(err)
		}
		objects[name] = string(data)
	}
	objects["cut.jpg"] = objects["red.jpg"][:len(objects["red.jpg"])/3]
	s.put(t, objects)
}

// put uploads objects by their names, as Store.Put does: an object of 0 bytes that the S3 client sends as a stream of signed chunks leaves something behind on
// its connection, and the next request there is refused.
func (s *stageSet) put(t *testing.T, objects map[string]string) {
	t.Helper()
	c := pipeline.DefaultConfig().S3
	c.Endpoint, c.AccessKey, c.SecretKey, c.Bucket = s.store.URL, s.store.AccessKey, pipeline.Secret(s.store.SecretKey), bucket
	store, err := pipeline.NewStore(c, 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.MakeBucket(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	for name, data := range objects {
		if err := store.Put(t.Context(), bucket, name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
}

// large is a JPEG of 2 megapixels with as much to decode as a photo.
func large(t *testing.T) string {
	t.Helper()
	const w, h = 1632, 1224
	im, noise := image.NewRGBA(image.Rect(0, 0, w, h)), rand.New(rand.NewPCG(1, 1))
	for y := range h {
		for x := range w {
			n := byte(noise.UintN(16)) + byte((x/24^y/24)&31)
			im.SetRGBA(x, y, color.RGBA{byte(x*200/w) + n, byte(y*200/h) + n, 120 + n, 255})
		}
	}
	var out strings.Builder
	if err := jpeg.Encode(&out, im, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// bundle is the fast stand-in: the contract of a real bundle with a network that looks at the colour only.
func (s *stageSet) bundle() string { return filepath.Join(s.root, "enrich", "testdata", "tiny") }

// keep copies the logs of the workers and the brokers to the directory CHAOS_LOGS, where that is set. One broker rests at a time, and goes on for the rows
// that follow.
func (s *scene) keep() {
	dir := os.Getenv("CHAOS_LOGS")
	text, err := os.ReadFile(s.fleet.log)
	if dir == "" || err != nil {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, s.names.group+".log"), text, 0o600); err != nil {
		s.t.Log(err)
	}
	for i, b := range s.set.brokers {
		b.Kill9()
		if err := os.CopyFS(filepath.Join(dir, fmt.Sprintf("%s-broker-%d", s.names.group, i+1)), os.DirFS(b.Data())); err != nil {
			s.t.Log(err)
		}
		b.Restart()
	}
}
