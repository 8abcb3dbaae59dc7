package sidecar

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/beevik/etree"
)

// ErrSidecar says that a sidecar is not understood, and is best left alone.
var ErrSidecar = errors.New("not a sidecar that can be merged")

// Bounds on what is read. Histories of darktable, the longest that sidecars hold, stay below a megabyte.
const (
	MaxBytes      = 8 << 20
	maxDepth      = 100
	maxElements   = 200_000
	maxAttributes = 2_000 // of one element
	maxOwn        = 64    // properties of planetag's, which writes less than twenty
)

// Namespace is that of planetag's own properties, whose customary prefix is planetag. Adobe's toolkit, and so exiv2, appends a
// slash to one that has none at its end.
const Namespace = "urn:planetag:xmp:1.0/"

const (
	nsXML  = "http://www.w3.org/XML/1998/namespace"
	nsRDF  = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsIPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
	nsEXIF = "http://ns.adobe.com/exif/1.0/"
)

// toolkit is x:xmptk of the sidecars that begin here.
const toolkit = "planetag"

// begin is an XMP packet without properties (ISO 16684-1, 7.3).
const begin = "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
	`<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="` + toolkit + "\">\n" +
	` <rdf:RDF xmlns:rdf="` + nsRDF + "\">\n </rdf:RDF>\n" +
	"</x:xmpmeta>\n<?xpacket end=\"w\"?>\n"

// Sidecar is what is in the file of one photo.
type Sidecar struct {
	doc *etree.Document
	rdf *etree.Element
	own own
}

// New is a sidecar without any property.
func New() *Sidecar {
	s, err := Read([]byte(begin))
	if err != nil {
		panic(err) // the packet above is a constant
	}
	return s
}

// Read understands the bytes of a sidecar. Every error wraps [ErrSidecar].
func Read(data []byte) (*Sidecar, error) {
	doc, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSidecar, err)
	}
	s := &Sidecar{doc: doc}
	if s.rdf = findRDF(doc.Root()); s.rdf == nil {
		return nil, fmt.Errorf("%w: it has no rdf:RDF", ErrSidecar)
	}
	if s.own = ownOf(s.rdf); len(s.own.list) > maxOwn {
		return nil, fmt.Errorf("%w: it has %d properties of planetag", ErrSidecar, len(s.own.list))
	}
	return s, nil
}

func parse(data []byte) (*etree.Document, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("it has %d bytes, over the limit of %d", len(data), MaxBytes)
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{
		PreserveCData: true, PreserveDuplicateAttrs: true, MaxDepth: maxDepth,
		CharsetReader: func(charset string, _ io.Reader) (io.Reader, error) {
			return nil, fmt.Errorf("it is in %s, not in UTF-8", charset)
		},
	}
	// Otherwise a carriage return or a line feed that was written as a reference would be read as a space.
	doc.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true}
	if err := doc.ReadFromBytes(data); err != nil {
		return nil, err
	}
	return doc, new(soundness).check(&doc.Element, true)
}

// soundness counts elements while it checks them.
type soundness int

// check finds what the parser lets pass: a second root, text outside of it, a document type, an attribute that is there twice,
// and what would take too long.
func (n *soundness) check(e *etree.Element, top bool) error {
	if *n++; *n > maxElements {
		return fmt.Errorf("it has more than %d elements", maxElements)
	}
	roots := 0
	for _, token := range e.Child {
		switch t := token.(type) {
		case *etree.Directive:
			return errors.New("it has a document type")
		case *etree.CharData:
			if top && strings.Trim(t.Data, " \t\r\n\ufeff") != "" {
				return errors.New("it has text outside of its element")
			}
		case *etree.Element:
			roots++
			if err := n.check(t, false); err != nil {
				return err
			}
		}
	}
	if top && roots != 1 {
		return fmt.Errorf("it has %d elements at its top", roots)
	}
	return attributes(e)
}

func attributes(e *etree.Element) error {
	if len(e.Attr) > maxAttributes {
		return fmt.Errorf("%s has more than %d attributes", e.FullTag(), maxAttributes)
	}
	seen := map[string]bool{}
	for _, a := range e.Attr {
		if seen[a.FullKey()] {
			return fmt.Errorf("%s has the attribute %s twice", e.FullTag(), a.FullKey())
		}
		seen[a.FullKey()] = true
	}
	return nil
}

// findRDF is the root, or lies in x:xmpmeta.
func findRDF(root *etree.Element) *etree.Element {
	for _, e := range append([]*etree.Element{root}, root.ChildElements()...) {
		if e.Tag == "RDF" && e.NamespaceURI() == nsRDF {
			return e
		}
	}
	return nil
}

// PhotoID is the photo whose estimate is in the sidecar, "" if none is.
func (s *Sidecar) PhotoID() string { return s.own.values[ownPhotoID] }
