package pipeline

import (
	"strings"
	"testing"

	"planetag/enrich"
	"planetag/enrich/bundle"
)

func TestPlaceSaysHowProbableItsCountryIs(t *testing.T) {
	got := placeOf(enrich.Answer{Place: enrich.Place{CountryCode: "IT", Country: "Italy"}, CountryP: 0.123456})
	if got == nil || *got != (Place{CountryCode: "IT", Country: "Italy", CountryProbability: 0.1235}) {
		t.Errorf("published %+v", got)
	}
	if got := placeOf(enrich.Answer{CountryP: 0.5}); got != nil {
		t.Errorf("no country, but %+v", got)
	}
}

func TestWhyStatusNamesWhatDecided(t *testing.T) {
	byConfidence := bundle.Calibration{AbstainBelow: 0.4}
	byError := bundle.Calibration{AbstainBelow: 0.4, Expected: &bundle.Expected{}}
	far := enrich.Answer{Abstained: true, Confidence: 0.3, ExpectedError: 2.5e6, AbstainAbove: 9e5}
	near := enrich.Answer{Confidence: 0.6, ExpectedError: 4.2e3, AbstainAbove: 9e5}
	given := Location{Status: StatusGiven, Given: &GivenPosition{Source: "exif"}}
	tests := []struct {
		name string
		l    Location
		a    enrich.Answer
		c    bundle.Calibration
		want string
	}{
		{"measured", given, far, byError, "a measured position (exif) wins"},
		{"old bundle, thin", Location{Status: StatusAbstained}, far, byConfidence, "confidence 0.300 is under 0.400"},
		{"old bundle", Location{Status: StatusEstimated}, near, byConfidence, "confidence 0.600 is at least 0.400"},
		{"thin", Location{Status: StatusAbstained}, far, byError, "expected error 2500 km is over 900 km"},
		{"good", Location{Status: StatusEstimated}, near, byError, "expected error 4.2 km is at most 900 km"},
	}
	for _, tt := range tests {
		if got := whyStatus(tt.l, tt.a, tt.c); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
