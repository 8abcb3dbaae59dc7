package export

import (
	"io/fs"

	"planetag/enrich/decode"
	"planetag/pipeline"
	"planetag/pipeline/sidecar"
)

// sourceExif is what a location calls the source of a position that the photo itself holds.
const sourceExif = "exif"

// sight is what the photo itself says, where it is at hand.
type sight struct {
	positioned, readable bool
	info                 fs.FileInfo // nil: not at hand
}

func (f *folder) look(photo string) (sight, error) {
	if f.Photos == "" {
		return sight{readable: true}, nil // the worker has read it
	}
	file, err := f.root.Open(photo)
	if err != nil {
		return sight{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return sight{}, err
	}
	exif, err := decode.ReadExifAt(file, info.Size())
	return sight{positioned: exif.Position != nil, readable: err == nil, info: info}, nil
}

// estimate is what is to be written; nil for nothing. A measured position is the photo's own already, if it is from there;
// another one is nobody else's business either, unless positions are asked for.
func (f *folder) estimate(l pipeline.Location, positioned, readable bool) *sidecar.Estimate {
	e := &sidecar.Estimate{PhotoID: l.PhotoID, Status: l.Status, Revision: l.Revision}
	if l.Location != nil {
		e.Lat, e.Lon = l.Location.Lat, l.Location.Lon
	}
	switch {
	case l.Status != pipeline.StatusGiven && l.Status != pipeline.StatusEstimated:
		return nil
	case positioned:
		f.report.Positioned++
		return nil
	case l.Status == pipeline.StatusGiven:
		e.Method, e.GPS = l.Given.Source, true
		if !f.GPS || l.Given.Source == sourceExif {
			return nil
		}
		return e
	case f.capped > 0 && (l.Model == nil || l.Model.PrecisionCapLevel > f.capped):
		f.report.Finer++
		return nil
	}
	e.Method, e.Cell, e.RadiusP50M, e.RadiusP90M, e.Created = methodOf(l), l.Cell, l.RadiusP50M, l.RadiusP90M, true
	if l.Confidence != nil {
		e.Confidence = *l.Confidence
	}
	e.GPS = f.GPS && readable && e.Confidence >= f.MinConfidence && float64(e.RadiusP90M) <= 1000*f.MaxRadiusKM
	if m := l.Model; m != nil {
		e.Model, e.SHA256 = m.Bundle, m.SHA256
	}
	if p := l.Place; p != nil {
		e.CountryCode, e.Country, e.Region = p.CountryCode, p.Country, p.Region
	}
	return e
}

func methodOf(l pipeline.Location) string {
	switch {
	case l.Album == nil:
		return "photo"
	case l.Album.FromAnchors:
		return "album, from photos with a position"
	}
	return "album " + l.Album.Mode
}
