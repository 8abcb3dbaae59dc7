package pipeline

import (
	"math"

	"planetag/enrich"
)

// located is the album-level location of one photo, with the answer of the photo alone beside it.
func (p albumPass) located(m *member, reading enrich.Reading) Location {
	l := locationOf(m.Reference, m.Source, p.model.Info(), p.model.AnswerAlbum(p.mode, reading))
	l.Stage = StageAlbum
	if alone := p.model.Answer("single", m.Top); !alone.Abstained {
		l.PhotoOnly = photoOnlyOf(alone)
	}
	return l
}

// albumPart adds what the anchors did to one photo.
func albumPart(r enrich.Reading, part AlbumPart) *AlbumPart {
	part.Anchors, part.FromAnchors, part.FromDiary = r.Anchors, r.Fix != nil, r.FromDiary
	if r.Nearest == nil {
		return &part
	}
	part.NearestAnchorSource = r.Nearest.Kind
	if r.Nearest.Timed {
		seconds := math.Round(r.Nearest.Gap.Seconds())
		part.NearestAnchorS = &seconds
	}
	return &part
}
