package pipeline

import (
	"fmt"
	"time"

	"planetag/enrich"
	"planetag/enrich/bundle"
)

// place is the last step: what the probabilities mean, and the record they become.
func (e *explaining) place(top []enrich.Candidate, calibration map[string]bundle.Calibration) error {
	started := time.Now()
	src := Source{
		Bucket: e.ref.Bucket, Key: e.ref.Key, VersionID: e.ref.VersionID, ETag: e.etag, Topic: e.cfg.Topics.Input,
	}
	l, a := photoLocation(e.model, e.ref, src, top)
	l.Revision, l.Time = 1, time.Now().UTC()
	record, err := l.Record(e.cfg.Topics.Locations, nil)
	if err != nil {
		return err
	}
	table, day := calibration[bundle.Single], ""
	if l.FromDiary {
		table, day = calibration[bundle.Dated], e.withoutTheDay(top)
	}
	e.step("place", started, "cell %s of level %d, entropy %.2f nats%s", a.Cell, a.Level, a.Entropy, day)
	e.Status, e.Record, e.Rollup = l.Status, record.Value, rollupOf(a)
	e.Reason = whyStatus(l, a, table)
	e.RadiusP50M, e.RadiusP90M = metres(a.RadiusP50), metres(a.RadiusP90)
	for _, c := range a.Candidates {
		e.Cells = append(e.Cells, ExplainCell{
			Cell: c.Token, Level: c.Level, P: probability(c.P), Lat: degrees(c.Lat), Lon: degrees(c.Lon),
			Place: e.placeOfCell(c, top),
		})
	}
	return nil
}

// withoutTheDay says that the day counted, and what the picture alone says.
func (e *explaining) withoutTheDay(top []enrich.Candidate) string {
	alone := e.model.Answer(bundle.Single, top)
	said := "cell " + alone.Cell
	if alone.Abstained {
		said = "nothing"
	}
	return "; told where the archive's owner was around that day, the picture alone says " + said
}

// placeOfCell names a candidate's place. An answer that is sure of one class is in that class's place; the candidate's
// class is the one that the same cap turns into the same cell.
func (e *explaining) placeOfCell(c enrich.Located, top []enrich.Candidate) *Place {
	for _, t := range top {
		if alone := e.model.Answer(bundle.Single, []enrich.Candidate{{Cell: t.Cell, P: 1}}); alone.Cell == c.Token {
			place := placeOf(alone)
			if place != nil {
				place.CountryProbability = 0 // the photo's, which this answer does not know
			}
			return place
		}
	}
	return nil
}

func whyStatus(l Location, a enrich.Answer, c bundle.Calibration) string {
	switch {
	case l.Status == StatusGiven:
		return fmt.Sprintf("a measured position (%s) wins over the estimate", l.Given.Source)
	case c.Expected != nil && l.Status == StatusAbstained:
		return fmt.Sprintf("expected error %s is over %s, above which this bundle does not answer",
			kilometres(metres(a.ExpectedError)), kilometres(metres(a.AbstainAbove)))
	case c.Expected != nil:
		return fmt.Sprintf("expected error %s is at most %s, up to which this bundle answers",
			kilometres(metres(a.ExpectedError)), kilometres(metres(a.AbstainAbove)))
	case l.Status == StatusAbstained:
		return fmt.Sprintf("confidence %.3f is under %.3f, below which this bundle does not answer", a.Confidence, c.AbstainBelow)
	}
	return fmt.Sprintf("confidence %.3f is at least %.3f, from which on this bundle answers", a.Confidence, c.AbstainBelow)
}
