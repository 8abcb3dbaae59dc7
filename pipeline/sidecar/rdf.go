package sidecar

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// name is an XML name: namespace and local part.
type name struct{ space, local string }

func (n name) String() string { return "{" + n.space + "}" + n.local }

// property is one of the photo, written as an element or, if its value is plain text, as an attribute of a Description.
type property struct {
	name
	of      *etree.Element // the Description
	element *etree.Element // nil for an attribute
	key     string         // of the attribute, with its prefix
}

// properties lists those of all Descriptions, in their order.
func properties(rdf *etree.Element) (list []property) {
	for _, d := range rdf.ChildElements() {
		if d.NamespaceURI() != nsRDF || d.Tag != "Description" {
			continue
		}
		for i := range d.Attr {
			if a := &d.Attr[i]; isField(a) {
				list = append(list, property{name: name{a.NamespaceURI(), a.Key}, of: d, key: a.FullKey()})
			}
		}
		for _, e := range d.ChildElements() {
			list = append(list, property{name: name{e.NamespaceURI(), e.Tag}, of: d, element: e})
		}
	}
	return list
}

// isField leaves out what is RDF's and XML's own.
func isField(a *etree.Attr) bool {
	if a.Space == "" || a.Space == "xmlns" || a.Space == "xml" {
		return false // xmlns="…", and rdf:about as old writers have it
	}
	return a.NamespaceURI() != nsRDF
}

// remove takes the property out, with the white space before it.
func (p property) remove() {
	if p.element != nil {
		removeElement(p.element)
		return
	}
	p.of.RemoveAttr(p.key)
}

func removeElement(e *etree.Element) {
	parent, i := e.Parent(), e.Index()
	if i > 0 {
		if space, ok := parent.Child[i-1].(*etree.CharData); ok && space.IsWhitespace() {
			parent.RemoveChildAt(i - 1)
		}
	}
	parent.RemoveChild(e)
}

// text is the value of a plain property.
func (p property) text() string {
	if p.element != nil {
		return p.element.Text()
	}
	return p.of.SelectAttrValue(p.key, "")
}

// lines are the value, whatever form of RDF it is written in: a path and a text for each leaf.
func (p property) lines() []string {
	if p.element != nil {
		return leaves(p.String(), p.element)
	}
	return []string{leaf(p.String(), p.name, p.text())}
}

func leaf(path string, of name, text string) string {
	if isPosition(of) {
		text = asCoordinate(text)
	}
	return path + "=" + text
}

func isPosition(n name) bool {
	return n.space == nsEXIF && (n.local == "GPSLatitude" || n.local == "GPSLongitude")
}

// positions are those of a list that say where.
func positions(list []property) (out []property) {
	for _, p := range list {
		if isPosition(p.name) {
			out = append(out, p)
		}
	}
	return out
}

func leaves(path string, e *etree.Element) (lines []string) {
	plain := true
	for i := range e.Attr {
		a := &e.Attr[i]
		switch {
		case isField(a): // a structure whose fields are attributes
			field := name{a.NamespaceURI(), a.Key}
			lines, plain = append(lines, leaf(path+"/"+field.String(), field, a.Value)), false
		case a.NamespaceURI() == nsRDF && a.Key == "resource":
			lines, plain = append(lines, path+"="+a.Value), false
		case a.Space == "xml" && a.Key == "lang":
			lines = append(lines, path+"/@lang="+a.Value)
		}
	}
	for _, child := range e.ChildElements() {
		plain = false
		inRDF := child.NamespaceURI() == nsRDF
		switch {
		case inRDF && child.Tag == "Description":
			lines = append(lines, leaves(path, child)...)
		case inRDF && slices.Contains([]string{"Bag", "Seq", "Alt"}, child.Tag):
			for i, item := range child.ChildElements() {
				lines = append(lines, leaves(fmt.Sprintf("%s/%s[%d]", path, child.Tag, i), item)...)
			}
		default:
			lines = append(lines, leaves(path+"/"+name{child.NamespaceURI(), child.Tag}.String(), child)...)
		}
	}
	if plain {
		lines = append(lines, leaf(path, name{e.NamespaceURI(), e.Tag}, e.Text()))
	}
	return lines
}

// digestOf tells whether properties still are what they were, in whatever order and form.
func digestOf(list []property) string {
	var lines []string
	for _, p := range list {
		lines = append(lines, p.lines()...)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}
