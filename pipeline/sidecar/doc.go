// Package sidecar puts an estimate into an XMP sidecar, where photo applications look, and takes it out again.
//
// What it writes are the properties of its own namespace, [Namespace], which say what the estimate is; one
// Iptc4xmpExt:LocationCreated, with names and position, unless somebody else wrote one; and, only where the caller asks for
// it, the exif:GPS properties that applications take for measured, unless somebody else wrote a position. Beside each of the
// last two it keeps a digest of what it wrote, in its own namespace: what no longer agrees was edited, and is somebody
// else's from then on.
//
// What others wrote stays: properties of any namespace, in whichever of RDF's forms, comments, x:xmptk, the packet's wrapper.
// Line endings become those of XML, and a tag's attributes come to stand on one line. Before bytes are handed out they are read
// again, and refused if anything of others differs.
//
// It refuses what it does not understand whole: XML that is not well-formed or not UTF-8, document types and with them entities,
// more than [MaxBytes], deeper than a hundred elements, XML without RDF.
package sidecar
