package sidecar

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// Estimate is what is to be said of one photo.
type Estimate struct {
	PhotoID  string
	Status   string // of the location: estimated, given
	Method   string // photo, album and its mode, anchors; of a measured position who gave it
	Model    string // name@version of the bundle
	SHA256   string // of the bundle
	Revision int64

	Lat, Lon               float64 // degrees, WGS 84
	RadiusP50M, RadiusP90M int64   // metres; 0 for a measured position
	Confidence             float64
	Cell                   string // S2 token

	CountryCode, Country, Region string

	// Created says that position and names are written as Iptc4xmpExt:LocationCreated.
	Created bool
	// GPS says that the position is written as exif:GPS, where applications take it for measured.
	GPS bool
}

// The local parts of planetag's own properties.
const (
	ownPhotoID       = "PhotoID"
	ownRevision      = "Revision"
	ownCreatedDigest = "LocationCreatedDigest"
	ownGPSDigest     = "GPSDigest"
)

// description is the rdf:Description that says it.
func (e Estimate) description(about string) *etree.Element {
	d := etree.NewElement("rdf:Description")
	d.CreateAttr("xmlns:rdf", nsRDF)
	d.CreateAttr("rdf:about", about)
	d.CreateAttr("xmlns:planetag", Namespace)
	e.ownInto(d)
	if e.Created {
		d.CreateAttr("xmlns:Iptc4xmpExt", nsIPTC)
	}
	if e.Created || e.GPS {
		d.CreateAttr("xmlns:exif", nsEXIF)
	}
	if e.Created {
		put(d, "planetag:"+ownCreatedDigest, digestOf(into(d, e.createdInto)))
	}
	if e.GPS {
		put(d, "planetag:"+ownGPSDigest, digestOf(positions(into(d, e.gpsInto))))
	}
	return d
}

// into writes properties, and returns those that it wrote.
func into(d *etree.Element, write func(*etree.Element)) (list []property) {
	before := len(d.ChildElements())
	write(d)
	for _, element := range d.ChildElements()[before:] {
		list = append(list, property{name: name{element.NamespaceURI(), element.Tag}, of: d, element: element})
	}
	return list
}

func (e Estimate) ownInto(d *etree.Element) {
	put(d, "planetag:"+ownPhotoID, e.PhotoID)
	put(d, "planetag:Status", e.Status)
	put(d, "planetag:Method", e.Method)
	put(d, "planetag:Cell", e.Cell)
	if e.RadiusP90M > 0 {
		put(d, "planetag:RadiusP50M", strconv.FormatInt(e.RadiusP50M, 10))
		put(d, "planetag:RadiusP90M", strconv.FormatInt(e.RadiusP90M, 10))
		put(d, "planetag:Confidence", strconv.FormatFloat(e.Confidence, 'f', -1, 64))
	}
	put(d, "planetag:Model", e.Model)
	put(d, "planetag:ModelSHA256", e.SHA256)
	put(d, "planetag:"+ownRevision, strconv.FormatInt(e.Revision, 10))
}

// createdInto is a LocationDetails of the IPTC Photo Metadata Standard, whose position IPTC takes from the EXIF namespace.
func (e Estimate) createdInto(d *etree.Element) {
	item := d.CreateElement("Iptc4xmpExt:LocationCreated").CreateElement("rdf:Bag").CreateElement("rdf:li")
	item.CreateAttr("rdf:parseType", "Resource")
	put(item, "Iptc4xmpExt:CountryCode", e.CountryCode)
	put(item, "Iptc4xmpExt:CountryName", e.Country)
	put(item, "Iptc4xmpExt:ProvinceState", e.Region)
	put(item, "exif:GPSLatitude", coordinate(e.Lat, "N", "S"))
	put(item, "exif:GPSLongitude", coordinate(e.Lon, "E", "W"))
}

func (e Estimate) gpsInto(d *etree.Element) {
	put(d, "exif:GPSVersionID", "2.3.0.0")
	put(d, "exif:GPSLatitude", coordinate(e.Lat, "N", "S"))
	put(d, "exif:GPSLongitude", coordinate(e.Lon, "E", "W"))
	put(d, "exif:GPSMapDatum", "WGS-84")
	if e.RadiusP90M > 0 {
		put(d, "exif:GPSHPositioningError", fmt.Sprintf("%d/1", e.RadiusP90M))
		// EXIF names GPS, CELLID, WLAN and MANUAL, none of which is true.
		put(d, "exif:GPSProcessingMethod", "planetag estimate")
	}
}

// put leaves out what is empty.
func put(e *etree.Element, tag, text string) {
	if text != "" {
		e.CreateElement(tag).SetText(text)
	}
}

// unit of a minute: four decimals keep the five of a degree that locations have.
const unit = 10_000

// coordinate is XMP's GPSCoordinate, degrees and minutes: 41,53.4126N.
func coordinate(degrees float64, positive, negative string) string {
	side := positive
	if degrees < 0 {
		side = negative
	}
	all := int64(math.Round(math.Abs(degrees) * 60 * unit))
	return fmt.Sprintf("%d,%d.%04d%s", all/(60*unit), all/unit%60, all%unit, side)
}

// written matches a GPSCoordinate in both of its forms: 41,53.4126N and 41,53,24N.
var written = regexp.MustCompile(`^(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NESW])$`)

// asCoordinate is a text as coordinate writes it: exiv2 rewrites coordinates with seven decimals. What is none stays.
func asCoordinate(text string) string {
	m := written.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return text
	}
	var parts [3]float64
	for i := range parts {
		parts[i], _ = strconv.ParseFloat(m[i+1], 64) // no seconds are 0
	}
	return coordinate(parts[0]+parts[1]/60+parts[2]/3600, m[4], "")
}
