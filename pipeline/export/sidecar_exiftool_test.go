package export

import (
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planetag/deploy/realkafka"
	"planetag/pipeline"
)

// TestExiftoolReadsThem is what an application sees, without and with --xmp-gps.
func TestExiftoolReadsThem(t *testing.T) {
	if _, err := exec.LookPath("exiftool"); err != nil {
		realkafka.Missing(t, "exiftool is not installed; `make setup-test` does it")
	}
	w, dir, asked := newWorld(t), t.TempDir(), t.TempDir()
	l := of("rome/a.jpg", "estimated")
	l.Stage, l.Album = pipeline.StageAlbum, &pipeline.AlbumPart{ID: "rome", Mode: "average", Size: 2, Position: 1}
	l.Place.Region = "Lazio"
	w.publish(t, l)
	photo(t, dir, "rome/a.jpg", "03-monument.jpg")
	write(t, asked, "rome/a.jpg.xmp", strings.ReplaceAll(curated, " MORE", ""), 0o600)
	for _, x := range []Sidecars{{Photos: dir}, {Dir: asked, GPS: true, MinConfidence: 0.5, MaxRadiusKM: 25}} {
		if got, log, err := w.exportTo(t, x); err != nil || got != (SidecarReport{Written: 1}) {
			t.Fatal(err, got, log)
		}
	}
	created := []any{map[string]any{"CountryCode": "IT", "CountryName": "Italy", "ProvinceState": "Lazio", "GPSLatitude": 41.89, "GPSLongitude": 12.49}}
	want := map[string]any{
		"XMP-planetag:PhotoID": "pics/rome/a.jpg", "XMP-planetag:Status": "estimated", "XMP-planetag:Method": "album average", "XMP-planetag:Cell": "132f6",
		"XMP-planetag:RadiusP50M": 1800.0, "XMP-planetag:RadiusP90M": 21000.0, "XMP-planetag:Confidence": 0.7, "XMP-planetag:Model": "tiny@1",
		"XMP-planetag:ModelSHA256": "abc", "XMP-planetag:Revision": 1.0, "XMP-iptcExt:LocationCreated": created, "XMP-x:XMPToolkit": "planetag",
	}
	got := exiftool(t, filepath.Join(dir, "rome", "a.jpg.xmp"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exiftool reads (-want +got):\n%s", diff)
	}
	delete(want, "XMP-x:XMPToolkit")
	maps.Copy(want, map[string]any{
		"XMP-xmp:Rating": 5.0, "XMP-exif:GPSLatitude": 41.89, "XMP-exif:GPSLongitude": 12.49, "XMP-exif:GPSMapDatum": "WGS-84", "XMP-exif:GPSVersionID": "2.3.0.0",
		"XMP-exif:GPSHPositioningError": 21000.0, "XMP-exif:GPSProcessingMethod": "planetag estimate",
		"Composite:GPSPosition": "41.89 12.49", "Composite:GPSLatitudeRef": "N", "Composite:GPSLongitudeRef": "E",
	})
	got = exiftool(t, filepath.Join(asked, "rome", "a.jpg.xmp"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked for positions, exiftool reads (-want +got):\n%s", diff)
	}
	// Immich writes with exiftool. What it makes of a sidecar is still planetag's to take out.
	name := filepath.Join(asked, "rome", "a.jpg.xmp")
	if out, err := exec.CommandContext(t.Context(), "exiftool", "-q", "-overwrite_original", "-XMP-dc:Description=a & b", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, log, err := w.exportTo(t, Sidecars{Dir: asked}); err != nil || got != (SidecarReport{Written: 1}) {
		t.Fatal(err, got, log)
	}
	got = exiftool(t, name)
	if got["XMP-dc:Description"] != "a & b" || got["XMP-xmp:Rating"] != 5.0 || got["XMP-exif:GPSLatitude"] != nil || got["XMP-planetag:Cell"] != "132f6" {
		t.Errorf("without --xmp-gps again: %v", got)
	}
}

// exiftool reads all of a sidecar and has nothing to complain of.
func exiftool(t *testing.T, name string) map[string]any {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "exiftool", "-validate", "-struct", "-json", "-n", "-a", "-G1", "-all", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var read []map[string]any
	if err := json.Unmarshal(out, &read); err != nil || len(read) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	if verdict := read[0]["ExifTool:Validate"]; verdict != "0 0 0" && verdict != 0.0 {
		t.Errorf("exiftool -validate %s: %v", name, verdict)
	}
	maps.DeleteFunc(read[0], func(key string, _ any) bool {
		return strings.HasSuffix(key, "Digest") || !strings.HasPrefix(key, "XMP-") && !strings.Contains(key, "GPS")
	})
	return read[0]
}
