package sidecar

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSidecarsThatAreLeftAlone(t *testing.T) {
	rdf := `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">%s</rdf:RDF>`
	for _, c := range []struct{ name, data, want string }{
		{"nothing", "", "elements at its top"},
		{"cut off", fmt.Sprintf(rdf, "<rdf:Description>")[:90], ""},
		{"tags that cross", fmt.Sprintf(rdf, "<a><b></a></b>"), ""},
		{"no RDF", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", "no rdf:RDF"},
		{"RDF of another namespace", "<rdf:RDF xmlns:rdf='http://example.org/'/>", "no rdf:RDF"},
		{"a billion laughs", `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>` + fmt.Sprintf(rdf, "&b;"), ""},
		{"a file from outside", `<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + fmt.Sprintf(rdf, ""), "document type"},
		{"an entity that is nowhere declared", fmt.Sprintf(rdf, "&nbsp;"), "entity"},
		{"two roots", fmt.Sprintf(rdf, "") + fmt.Sprintf(rdf, ""), "2 elements at its top"},
		{"text behind the end", fmt.Sprintf(rdf, "") + "rating: 5", "text outside"},
		{"an attribute that is there twice", fmt.Sprintf(rdf, `<rdf:Description rdf:about="a" rdf:about="b"/>`), "twice"},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + fmt.Sprintf(rdf, "\xe9"), "not in UTF-8"},
		{"UTF-16", "\xff\xfe<\x00r\x00d\x00f\x00", ""},
		{"very deep", strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000), "depth"},
		{"very many elements", fmt.Sprintf(rdf, strings.Repeat("<a/>", maxElements)), "more than 200000 elements"},
		{"very many attributes", fmt.Sprintf(rdf, "<a"+manyAttributes()+"/>"), "more than 2000 attributes"},
		{"very many of planetag's", fmt.Sprintf(rdf, `<rdf:Description xmlns:p="`+Namespace+`">`+strings.Repeat("<p:a/>", maxOwn+1)+"</rdf:Description>"), "65 properties"},
		{"very long", fmt.Sprintf(rdf, strings.Repeat(" ", MaxBytes)), "over the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Read([]byte(c.data)); !errors.Is(err, ErrSidecar) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func manyAttributes() string {
	var b strings.Builder
	for i := range maxAttributes + 1 {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}
