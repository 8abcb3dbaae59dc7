package sidecar

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// rome is an estimate with everything in it.
func rome() Estimate {
	return Estimate{
		PhotoID: "pics/rome 1/a&b.jpg", Status: "estimated", Method: "album average", Model: "demo@1.2.0", SHA256: "abcd", Revision: 7,
		Lat: 41.89021, Lon: -12.49223, RadiusP50M: 1800, RadiusP90M: 21000, Confidence: 0.83, Cell: "132f6",
		CountryCode: "IT", Country: "Italy", Region: "Lazio", Created: true,
	}
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// applied is a sidecar after an estimate, or after none, was applied; it is read again each time.
func applied(t rapid.TB, data []byte, e *Estimate) ([]byte, bool) {
	t.Helper()
	s, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	out, changed, err := s.Apply(e)
	if err != nil {
		t.Fatal(err)
	}
	return out, changed
}

// saidBy is what a sidecar says: each leaf of each property, by who said it.
func saidBy(t rapid.TB, data []byte) (own, others []string) {
	t.Helper()
	s, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range properties(s.rdf) {
		if slices.Contains(s.own.list, p) {
			own = append(own, p.lines()...)
		} else {
			others = append(others, p.lines()...)
		}
	}
	return own, others
}

// TestWhatOthersWroteStays puts an estimate into sidecars as applications write them, changes it, and takes it out again.
func TestWhatOthersWroteStays(t *testing.T) {
	for _, name := range []string{"digikam.xmp", "darktable.xmp", "lightroom.xmp", "immich.xmp", "strange.xmp"} {
		t.Run(name, func(t *testing.T) {
			begun := fixture(t, name)
			_, before := saidBy(t, begun)
			if len(before) < 3 {
				t.Fatalf("the fixture says %q", before)
			}
			e := rome()
			merged, changed := applied(t, begun, &e)
			own, others := saidBy(t, merged)
			if diff := cmp.Diff(before, others); diff != "" || !changed {
				t.Errorf("changed %v; of others (-before +after):\n%s", changed, diff)
			}
			want := []string{"{urn:planetag:xmp:1.0/}Cell=132f6", "{urn:planetag:xmp:1.0/}Revision=7"}
			for _, line := range want {
				if !slices.Contains(own, line) {
					t.Errorf("%s is missing in %q", line, own)
				}
			}
			for _, comment := range regexp.MustCompile(`(?s)<!--.*?-->|<\?.*?\?>|x:xmptk=['"].*?['"]`).FindAllString(string(begun), -1) {
				if !strings.Contains(string(merged), strings.ReplaceAll(comment, "xmptk='Image::ExifTool 13.00'", `xmptk="Image::ExifTool 13.00"`)) {
					t.Errorf("%s is gone", comment)
				}
			}
			e.Revision++
			if _, changed := applied(t, merged, &e); changed {
				t.Error("the same answer, published again, is written again")
			}
			e.Cell, e.Lat = "89c25", -33.9
			moved, changed := applied(t, merged, &e)
			own, others = saidBy(t, moved)
			if diff := cmp.Diff(before, others); diff != "" || !changed || !slices.Contains(own, "{urn:planetag:xmp:1.0/}Cell=89c25") || slices.Contains(own, want[0]) {
				t.Errorf("changed %v, own %q; of others (-before +after):\n%s", changed, own, diff)
			}
			left, changed := applied(t, moved, nil)
			asItWas, _ := Read(begun)
			now, err := Read(left)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asItWas.tokens(), now.tokens()); diff != "" || !changed {
				t.Errorf("taken out, changed %v (-before +after):\n%s", changed, diff)
			}
			if again, changed := applied(t, left, nil); changed {
				t.Errorf("taken out twice: %s", again)
			}
		})
	}
}

func TestASidecarOfItsOwn(t *testing.T) {
	e := rome()
	data, changed, err := New().Apply(&e)
	if err != nil || !changed || !bytes.HasPrefix(data, []byte("<?xpacket begin=\"\ufeff\"")) {
		t.Fatal(changed, err, string(data))
	}
	s, err := Read(data)
	if err != nil || s.PhotoID() != e.PhotoID || s.Positioned() {
		t.Fatal(err, s.PhotoID(), s.Positioned())
	}
	if out, changed := applied(t, data, nil); out != nil || !changed {
		t.Errorf("an empty one of its own stays: %s", out)
	}
	if _, changed, err := New().Apply(nil); changed || err != nil {
		t.Errorf("nothing is written as nothing: %v, %v", changed, err)
	}
	bad := rome()
	bad.PhotoID = "a\x01b"
	if _, _, err := New().Apply(&bad); !errors.Is(err, ErrSidecar) {
		t.Errorf("an id that XML cannot hold: %v", err)
	}
}

// TestWhoseIsIt edits what planetag wrote, as people and programs do.
func TestWhoseIsIt(t *testing.T) {
	withGPS := rome()
	withGPS.GPS = true
	data, _, err := New().Apply(&withGPS)
	if err != nil {
		t.Fatal(err)
	}
	lat := "<exif:GPSLatitude>41,53.4126N</exif:GPSLatitude>"
	last := strings.LastIndex(string(data), lat)
	for _, c := range []struct {
		name               string
		edited             string
		positioned, stays  bool
		created, gps, want string // what stands in the end, with the estimate applied again, of city and latitude
	}{
		{name: "nobody did anything", edited: string(data)},
		{
			name:   "exiv2, for digiKam and darktable, has put everything into one Description, with seven decimals",
			edited: string(fixture(t, "rewritten.xmp")),
		},
		{
			name: "somebody moved the photo on the map", positioned: true,
			edited: string(data[:last]) + "<exif:GPSLatitude>45,26.0000N</exif:GPSLatitude>" + string(data[last+len(lat):]), gps: "45,26.0000N",
		},
		{
			name:    "somebody corrected the country",
			edited:  strings.Replace(string(data), ">Italy<", ">Vatican City<", 1),
			created: "Vatican City",
		},
		{
			name:    "somebody added a city",
			edited:  strings.Replace(string(data), "<Iptc4xmpExt:CountryCode>", "<Iptc4xmpExt:City>Roma</Iptc4xmpExt:City><Iptc4xmpExt:CountryCode>", 1),
			created: "Roma",
		},
		{
			name:   "somebody wrote the same position in degrees, minutes and seconds",
			edited: string(data[:last]) + "<exif:GPSLatitude>41,53,24.756N</exif:GPSLatitude>" + string(data[last+len(lat):]),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Read([]byte(c.edited))
			if err != nil {
				t.Fatal(err)
			}
			if s.Positioned() != c.positioned {
				t.Errorf("positioned by somebody else: %v, want %v", s.Positioned(), c.positioned)
			}
			moved := withGPS
			moved.Lat, moved.Country = 10, "Ghana"
			out, _ := applied(t, []byte(c.edited), &moved)
			_, others := saidBy(t, out)
			text := strings.Join(others, "\n")
			for _, kept := range []string{c.created, c.gps} {
				if kept != "" && !strings.Contains(text, kept) {
					t.Errorf("%s is gone from %q", kept, others)
				}
			}
			if c.created == "" && c.gps == "" && len(others) > 0 && !strings.Contains(text, "Rating") {
				t.Errorf("taken for somebody else's: %q", others)
			}
			if n := strings.Count(string(out), "LocationCreated>"); n != 2 {
				t.Errorf("LocationCreated is there %d/2 times", n)
			}
			left, _ := applied(t, out, nil)
			if own := []string{Namespace, "Ghana", "10,0"}; slices.ContainsFunc(own, func(s string) bool { return bytes.Contains(left, []byte(s)) }) {
				t.Errorf("planetag's is left: %s", left)
			}
		})
	}
}

// TestReferencesStayReferences: a line feed in an attribute that is not written as a reference is a space to every other parser.
func TestReferencesStayReferences(t *testing.T) {
	e := rome()
	merged, _ := applied(t, fixture(t, "lightroom.xmp"), &e)
	if want := "stEvt:parameters=\"converted from &quot;a&quot;&#xA;to &lt;b>\""; !strings.Contains(string(merged), want) {
		t.Errorf("%s is not in %s", want, merged)
	}
	text := strings.Replace(string(fixture(t, "digikam.xmp")), "Am Brunnen", "Am&#13;\nBrunnen", 1)
	if merged, _ = applied(t, []byte(text), &e); !strings.Contains(string(merged), "Am&#xD;\nBrunnen") {
		t.Errorf("the carriage return is gone: %s", merged)
	}
}
