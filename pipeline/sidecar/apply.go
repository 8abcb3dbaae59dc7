package sidecar

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// own is what planetag wrote earlier and nobody has changed since.
type own struct {
	values  map[string]string // of its own namespace, by local part
	list    []property        // all of it, with LocationCreated and exif:GPS
	created bool              // LocationCreated is among it
	gps     bool              // exif:GPS is
}

// gpsNames are the properties of exif:GPS that planetag writes.
var gpsNames = []string{"GPSVersionID", "GPSLatitude", "GPSLongitude", "GPSMapDatum", "GPSHPositioningError", "GPSProcessingMethod"}

func ownOf(rdf *etree.Element) own {
	o := own{values: map[string]string{}}
	var created, gps []property
	for _, p := range properties(rdf) {
		switch {
		case p.space == Namespace:
			o.list, o.values[p.local] = append(o.list, p), p.text()
		case p.space == nsIPTC && p.local == "LocationCreated":
			created = append(created, p)
		case p.space == nsEXIF && slices.Contains(gpsNames, p.local):
			gps = append(gps, p)
		}
	}
	if o.created = len(created) > 0 && digestOf(created) == o.values[ownCreatedDigest]; o.created {
		o.list = append(o.list, created...)
	}
	if o.gps = len(gps) > 0 && digestOf(positions(gps)) == o.values[ownGPSDigest]; o.gps {
		o.list = append(o.list, gps...)
	}
	return o
}

// others tells whether somebody else wrote one of these properties.
func (s *Sidecar) others(space string, locals ...string) bool {
	return slices.ContainsFunc(properties(s.rdf), func(p property) bool {
		return p.space == space && slices.Contains(locals, p.local) && !slices.Contains(s.own.list, p)
	})
}

// Positioned tells whether somebody else wrote where the photo was taken.
func (s *Sidecar) Positioned() bool { return s.others(nsEXIF, "GPSLatitude", "GPSLongitude") }

// Apply makes the sidecar say the estimate, or none, in place of what planetag said before. It returns the bytes of the
// sidecar and whether they are to be written; no bytes, if nothing is left of a sidecar that planetag began. What somebody
// else wrote is not written over: neither their LocationCreated nor their position. An estimate that differs by its revision
// alone is no change. Errors wrap [ErrSidecar]. The sidecar is of no use afterwards.
func (s *Sidecar) Apply(e *Estimate) (data []byte, changed bool, err error) {
	var next *etree.Element
	if e != nil {
		if strings.ContainsFunc(e.PhotoID, outsideXML) || !utf8.ValidString(e.PhotoID) {
			return nil, false, fmt.Errorf("%w: the photo id %q has characters that XML cannot hold", ErrSidecar, e.PhotoID)
		}
		e := *e
		e.Created = e.Created && !s.others(nsIPTC, "LocationCreated")
		e.GPS = e.GPS && !s.others(nsEXIF, gpsNames...)
		next = e.description(s.about())
	}
	if s.says(next) {
		return nil, false, nil
	}
	s.clear()
	before := s.tokens()
	if next == nil && s.begunHere() {
		return nil, true, nil
	}
	if next != nil {
		s.add(next)
	}
	if data, err = s.doc.WriteToBytes(); err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrSidecar, err)
	}
	if err := faithful(data, before); err != nil {
		return nil, false, err
	}
	return data, true, nil
}

// outsideXML tells of characters that XML has no way to write, not even as references.
func outsideXML(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// says tells whether a Description would change nothing.
func (s *Sidecar) says(d *etree.Element) bool {
	if d == nil {
		return len(s.own.list) == 0
	}
	next := map[string]string{}
	for _, e := range d.ChildElements() {
		if e.NamespaceURI() == Namespace {
			next[e.Tag] = e.Text()
		}
	}
	now := maps.Clone(s.own.values)
	next[ownRevision], now[ownRevision] = "", ""
	_, created := next[ownCreatedDigest]
	_, gps := next[ownGPSDigest]
	return maps.Equal(next, now) && created == s.own.created && gps == s.own.gps
}

// clear takes out what planetag wrote.
func (s *Sidecar) clear() {
	var touched []*etree.Element
	for _, p := range s.own.list {
		p.remove()
		if !slices.Contains(touched, p.of) {
			touched = append(touched, p.of)
		}
	}
	for _, d := range touched {
		if bare(d) {
			removeElement(d)
			continue
		}
		for _, a := range slices.Clone(d.Attr) { // of a Description that another writer has made of several
			if a.Space == "xmlns" && a.Value == Namespace {
				d.RemoveAttr(a.FullKey())
			}
		}
	}
	s.own = own{values: map[string]string{}}
}

// bare tells whether a Description says nothing, not even in a comment.
func bare(d *etree.Element) bool {
	for i := range d.Attr {
		if isField(&d.Attr[i]) {
			return false
		}
	}
	return !slices.ContainsFunc(d.Child, func(t etree.Token) bool {
		space, ok := t.(*etree.CharData)
		return !ok || !space.IsWhitespace()
	})
}

// begunHere tells whether the sidecar is what New makes.
func (s *Sidecar) begunHere() bool {
	return slices.Equal(s.tokens(), New().tokens())
}

// about is what the Descriptions are about, the same for all of them.
func (s *Sidecar) about() string {
	for _, d := range s.rdf.ChildElements() {
		for _, a := range d.Attr {
			if a.Key == "about" && (a.Space == "" || a.NamespaceURI() == nsRDF) {
				return a.Value
			}
		}
	}
	return ""
}

// add puts a Description behind the others, indented like them.
func (s *Sidecar) add(d *etree.Element) {
	if s.rdf.Space == "rdf" {
		d.RemoveAttr("xmlns:rdf")
	}
	indent(d, "\n  ")
	at := len(s.rdf.Child)
	if at > 0 {
		if space, ok := s.rdf.Child[at-1].(*etree.CharData); ok && space.IsWhitespace() {
			at--
		}
	}
	s.rdf.InsertChildAt(at, etree.NewText("\n  "))
	s.rdf.InsertChildAt(at+1, d)
}

func indent(e *etree.Element, before string) {
	children := e.ChildElements()
	for _, child := range children {
		e.InsertChildAt(child.Index(), etree.NewText(before+" "))
		indent(child, before+" ")
	}
	if len(children) > 0 {
		e.AddChild(etree.NewText(before))
	}
}

// faithful reads again what is to be written, and wants all of the others in it.
func faithful(data []byte, others []string) error {
	again, err := Read(data)
	if err != nil {
		return err
	}
	again.clear()
	if !slices.Equal(again.tokens(), others) {
		return fmt.Errorf("%w: it would not say the same afterwards", ErrSidecar)
	}
	return nil
}

// tokens are all that the document says, without the white space between elements.
func (s *Sidecar) tokens() []string { return tokensOf(&s.doc.Element, nil) }

func tokensOf(e *etree.Element, list []string) []string {
	leaf := len(e.ChildElements()) == 0
	for _, token := range e.Child {
		switch t := token.(type) {
		case *etree.Element:
			list = append(list, "<"+t.FullTag()+" "+t.NamespaceURI())
			for i := range t.Attr {
				list = append(list, t.Attr[i].FullKey()+" "+t.Attr[i].NamespaceURI()+"="+t.Attr[i].Value)
			}
			list = append(tokensOf(t, list), ">")
		case *etree.CharData:
			if leaf || strings.TrimSpace(t.Data) != "" {
				list = append(list, t.Data)
			}
		case *etree.Comment:
			list = append(list, "<!--"+t.Data)
		case *etree.ProcInst:
			list = append(list, "<?"+t.Target+" "+t.Inst)
		}
	}
	return list
}
