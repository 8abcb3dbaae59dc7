package pipeline

import (
	"math"

	"planetag/enrich"
	"planetag/enrich/bundle"
)

// located is the album-level location of one photo, with the answer of the photo alone beside it.
func (p albumPass) located(m *member, reading enrich.Reading) Location {
	l := locationOf(m.Reference, m.Source, p.model.Info(), p.model.AnswerAlbum(p.mode, reading))
	l.Stage, l.FromDiary, l.PhotoOnly = StageAlbum, reading.FromDiary, estimateOf(p.model.Answer(bundle.Single, m.Top))
	return l
}

// albumPart adds what the anchors did to one photo.
func albumPart(r enrich.Reading, part AlbumPart) *AlbumPart {
	part.Anchors, part.FromAnchors = r.Anchors, r.Fix != nil
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
