package sidecar

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyDocumentComesBack makes sidecars of random properties, in all of RDF's forms.
func TestAnyDocumentComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := drawSidecar(t)
		before, err := Read(data)
		if err != nil {
			t.Fatal(err, string(data))
		}
		e := rome()
		e.GPS = rapid.Bool().Draw(t, "gps")
		e.PhotoID = rapid.StringMatching(`[a-z&<"'> é]{1,8}`).Draw(t, "photo")
		_, others := saidBy(t, data)
		merged, _ := applied(t, data, &e)
		s, err := Read(merged)
		if err != nil || s.PhotoID() != e.PhotoID {
			t.Fatalf("%v, id %q: %s", err, s.PhotoID(), merged)
		}
		if _, after := saidBy(t, merged); !slices.Equal(others, after) {
			t.Fatalf("others said %q, now %q", others, after)
		}
		if twice, changed := applied(t, merged, &e); changed {
			t.Fatalf("merged again: %s", twice)
		}
		left, _ := applied(t, merged, nil)
		again, err := Read(left)
		if err != nil || !slices.Equal(before.tokens(), again.tokens()) {
			t.Fatalf("%v: %s came back as %s", err, data, left)
		}
	})
}

// drawSidecar is a document of somebody else.
func drawSidecar(t *rapid.T) []byte {
	text := rapid.SampledFrom([]string{"", "plain", "a &amp; b", "&lt;b&gt;", "line&#xA;break", "é", "&quot;q&quot;", " spaced "})
	prefix := rapid.SampledFrom([]string{"dc", "exif", "Iptc4xmpExt", "planetag", "zz"})
	spaces := map[string]string{"dc": "http://purl.org/dc/elements/1.1/", "exif": nsEXIF, "Iptc4xmpExt": nsIPTC, "planetag": "http://example.org/p/", "zz": "urn:zz#"}
	leaf := rapid.Custom(func(t *rapid.T) string {
		tag := prefix.Draw(t, "prefix") + ":" + rapid.StringMatching(`[A-Z][a-z]{1,4}`).Draw(t, "tag")
		value := text.Draw(t, "value")
		forms := []string{
			"<%[1]s>%[2]s</%[1]s>", "<%[1]s/>", "<%[1]s><rdf:Bag><rdf:li>%[2]s</rdf:li><rdf:li/></rdf:Bag></%[1]s>", "<!-- %[1]s -->",
			"<%[1]s rdf:parseType=\"Resource\"><dc:x>%[2]s</dc:x></%[1]s>", "<%[1]s dc:x=\"%[2]s\"/>", "<%[1]s><rdf:Description dc:x=\"%[2]s\"/></%[1]s>",
			"<%[1]s><rdf:Alt><rdf:li xml:lang=\"x-default\">%[2]s</rdf:li></rdf:Alt></%[1]s>", "<%[1]s rdf:resource=\"http://a/\"/>",
			"<%[1]s><![CDATA[%[2]s]]></%[1]s>", "<exif:GPSLatitude>1,2.5N</exif:GPSLatitude>", "<Iptc4xmpExt:LocationCreated>%[2]s</Iptc4xmpExt:LocationCreated>",
		}
		return fmt.Sprintf(rapid.SampledFrom(forms).Draw(t, "form"), tag, value)
	})
	var b strings.Builder
	gap := rapid.SampledFrom([]string{"", "\n", "\n  ", " \t"})
	b.WriteString(rapid.SampledFrom([]string{"", "\ufeff", begin[:strings.Index(begin, "?>")+3], "<?xml version=\"1.0\"?>\n"}).Draw(t, "head"))
	b.WriteString(`<rdf:RDF xmlns:rdf="` + nsRDF + `"`)
	for _, p := range slices.Sorted(maps.Keys(spaces)) {
		fmt.Fprintf(&b, " xmlns:%s=%q", p, spaces[p])
	}
	b.WriteString(">")
	for range rapid.IntRange(0, 3).Draw(t, "Descriptions") {
		fmt.Fprintf(&b, `%s<rdf:Description rdf:about="" zz:at="%s">`, gap.Draw(t, "gap"), text.Draw(t, "attribute"))
		for range rapid.IntRange(0, 3).Draw(t, "properties") {
			b.WriteString(gap.Draw(t, "gap") + leaf.Draw(t, "property"))
		}
		b.WriteString(gap.Draw(t, "gap") + "</rdf:Description>")
	}
	b.WriteString(gap.Draw(t, "gap") + "</rdf:RDF>" + gap.Draw(t, "gap"))
	return []byte(b.String())
}

// FuzzRead merges into whatever is understood, and takes out again.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xmp")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read(data)
		if err != nil {
			return
		}
		s.clear()
		before := s.tokens()
		if s, err = Read(data); err != nil {
			t.Fatal(err)
		}
		e := rome()
		merged, changed, err := s.Apply(&e)
		if err != nil || !changed {
			return // refused, or the corpus has come upon the same words
		}
		if left, _ := applied(t, merged, nil); left != nil {
			again, err := Read(left)
			if err != nil || !slices.Equal(before, again.tokens()) {
				t.Fatalf("%v: %q came back as %q", err, data, left)
			}
		}
	})
}
