package bundle

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// Travel is how far apart two photos of one album are, given the time between
// them. Of photos t hours apart, the share
//
//	d / (d + s), s = RestMetres + HourMetres·t^Growth
//
// lies within d metres: half within s, nine of ten within 9·s. The form is the
// power law of human displacements (González, Hidalgo and Barabási, Nature 453,
// 2008: exponent 1.75 ± 0.15; 2 here, which needs no power to be computed), whose
// scale grows more slowly than time because people return (Song et al., Nature
// Physics 6, 2010).
type Travel struct {
	RestMetres float64 `yaml:"rest_m"` // of photos of one moment: the positions' own error
	HourMetres float64 `yaml:"hour_m"` // what an hour adds
	Growth     float64 `yaml:"growth"` // exponent of the hours, at most 1
	// Stray is the share of photos that are not where the photos around them
	// are: another person's, or a camera whose clock is wrong.
	Stray float64 `yaml:"stray"`
	// Evidence is the exponent, at most 1, of what the CNN saw in one photo: the
	// photos of a scene repeat each other, so each must count for less than one.
	Evidence float64 `yaml:"evidence"`
	// Look is the exponent of what the CNN saw in one photo when the certainty of
	// an answer from anchors is asked for. More than 1 undoes the doubt of a
	// calibration made over all photos: a picture that clearly shows another city
	// costs the answer its certainty, which is better than to be sure and wrong.
	Look float64 `yaml:"look"`
}

// DefaultTravel is what the albums under train/splits that no bundle is
// measured on look like.
func DefaultTravel() Travel {
	return Travel{RestMetres: 50, HourMetres: 600, Growth: 0.75, Stray: 0.05, Evidence: 0.5, Look: 1.5}
}

// Travel is HMM with defaults for what it leaves out.
func (a Album) Travel() Travel {
	d := DefaultTravel()
	return Travel{
		RestMetres: cmp.Or(a.HMM.RestMetres, d.RestMetres),
		HourMetres: cmp.Or(a.HMM.HourMetres, d.HourMetres),
		Growth:     cmp.Or(a.HMM.Growth, d.Growth),
		Stray:      cmp.Or(a.HMM.Stray, d.Stray),
		Evidence:   cmp.Or(a.HMM.Evidence, d.Evidence),
		Look:       cmp.Or(a.HMM.Look, d.Look),
	}
}

func (t Travel) check() error {
	var errs []error
	for _, f := range []struct {
		key            string
		value, lo, top float64
	}{
		{"rest_m", t.RestMetres, 1, 1e6},
		{"hour_m", t.HourMetres, 1, 1e6},
		{"growth", t.Growth, 0.01, 1},
		{"stray", t.Stray, 1e-6, 0.5},
		{"evidence", t.Evidence, 0.01, 1},
		{"look", t.Look, 0.01, 4},
	} {
		if !(f.value >= f.lo && f.value <= f.top) || math.IsInf(f.value, 0) {
			errs = append(errs, fmt.Errorf("album.hmm.%s is %v, want %v to %v", f.key, f.value, f.lo, f.top))
		}
	}
	return errors.Join(errs...)
}
