package pipeline

import (
	"planetag/enrich"
	"planetag/enrich/bundle"
)

// photoLocation is the photo-level location, and the answer that it tells. A photo goes by the day on which it was taken, too, where
// the bundle knows that day; what the picture alone says is then beside it. With a position only that is compared.
func photoLocation(model *enrich.Model, ref Reference, src Source, top []enrich.Candidate) (Location, enrich.Answer) {
	reading := enrich.Reading{Top: top}
	if ref.Position == nil {
		reading = model.Alone(top, ref.TakenAt)
	}
	a := model.AnswerAlone(reading)
	l := locationOf(ref, src, model.Info(), a)
	if l.Stage = StagePhoto; reading.FromDiary {
		l.FromDiary, l.PhotoOnly = true, estimateOf(model.Answer(bundle.Single, top))
	}
	return l, a
}
