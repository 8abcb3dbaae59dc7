package bundle

import (
	"errors"
	"strings"
	"testing"
)

// withExpected gives the calibration of every mode of the tiny bundle an
// expected-error table, with one piece of its text replaced.
func withExpected(t *testing.T, old, replacement string) (*Bundle, error) {
	t.Helper()
	text := `    expected_error:
      tables:
        - cell_radius_m: 0
          abstain_above_m: 400000
          radius:
            - {expected_error_m: 0, p50_m: 3000, p90_m: 40000}
            - {expected_error_m: 250000, p50_m: 90000, p90_m: 900000}
        - cell_radius_m: 25000
          abstain_above_m: 800000
          radius:
            - {expected_error_m: 0.0, p50_m: 200000, p90_m: 800000}
      unsure_below: 0.25
      promise: {share: 0.9, within_m: 200000, kept: 0.92, answered: 0.3}
`
	if !strings.Contains(text, old) {
		t.Fatalf("the table has no %q", old)
	}
	dir := copyTiny(t)
	edit(t, dir, "    abstain_below: 0.4\n", "    abstain_below: 0.4\n"+strings.Replace(text, old, replacement, 1))
	return Read(dir)
}

func TestReadExpectedError(t *testing.T) {
	b, err := withExpected(t, "", "")
	if err != nil {
		t.Fatal(err)
	}
	e := b.Manifest.Calibration[Single].Expected
	if e == nil || len(e.Tables) != 2 || e.Promise != (Promise{0.9, 200000, 0.92, 0.3}) {
		t.Fatalf("read %+v", e)
	}
	for _, tt := range []struct{ spread, want float64 }{{0, 400000}, {24999, 400000}, {25000, 800000}, {2e6, 800000}} {
		if got := e.Table(tt.spread).AbstainAbove; got != tt.want {
			t.Errorf("a cell with photos spread over %v m abstains above %v, want %v", tt.spread, got, tt.want)
		}
	}
	for _, tt := range []struct{ spread, confidence, want float64 }{
		{0, 1, 3000}, {24999, 0.25, 3000}, {24999, 0.249, 200000}, {25000, 1, 200000}, {2e6, 0.1, 200000},
	} {
		if got := e.Radii(tt.spread, tt.confidence).At(0).P50; got != tt.want {
			t.Errorf("a cell with photos spread over %v m, answered with %v, has the radius %v, want %v", tt.spread, tt.confidence, got, tt.want)
		}
	}
	refusing := *e
	refusing.UnsureRefused = true
	for _, tt := range []struct{ confidence, given, refused float64 }{{0.25, 400000, 400000}, {0.249, 400000, 0}} {
		if e.Limit(0, tt.confidence) != tt.given || refusing.Limit(0, tt.confidence) != tt.refused {
			t.Errorf("answered with %v, the limit is %v, and %v where such answers are refused", tt.confidence, e.Limit(0, tt.confidence), refusing.Limit(0, tt.confidence))
		}
	}
	for _, tt := range []struct{ metres, want float64 }{{0, 3000}, {249999, 3000}, {250000, 90000}, {2e7, 90000}} {
		if got := e.Tables[0].At(tt.metres).P50; got != tt.want {
			t.Errorf("at an expected error of %v m the radius is %v, want %v", tt.metres, got, tt.want)
		}
	}
}

func TestReadExpectedErrorRefuses(t *testing.T) {
	tests := []struct{ name, old, replacement, want string }{
		{"no table of the smallest cells", "cell_radius_m: 0\n", "cell_radius_m: 1\n", "tables must start at cell_radius_m 0"},
		{"unsure in percent", "unsure_below: 0.25", "unsure_below: 25", "unsure_below is 25, want 0 to 1"},
		{"unsure of nothing", "unsure_below: 0.25", "unsure_below: .nan", "unsure_below is NaN, want 0 to 1"},
		{"tables that fall", "cell_radius_m: 25000", "cell_radius_m: 0", "want metres ascending from 0"},
		{"a table of no distance", "cell_radius_m: 25000", "cell_radius_m: .inf", "want metres ascending from 0"},
		{"no first step", "expected_error_m: 0,", "expected_error_m: 5,", "radius must start at expected_error_m 0"},
		{"steps that fall", "expected_error_m: 250000", "expected_error_m: -1", "want metres ascending from 0"},
		{"a step that is no number", "expected_error_m: 250000", "expected_error_m: .nan", "want metres ascending"},
		{"a step at no distance", "expected_error_m: 250000", "expected_error_m: .inf", "want metres ascending"},
		{"a radius of nothing", "p50_m: 90000", "p50_m: 0", "want positive metres"},
		{"a p90 inside the p50", "p90_m: 900000", "p90_m: 9000", "p50_m no greater than p90_m"},
		{"a limit below zero", "abstain_above_m: 400000", "abstain_above_m: -1", "abstain_above_m is -1"},
		{"a limit that is no number", "abstain_above_m: 400000", "abstain_above_m: .nan", "abstain_above_m is NaN"},
		{"a promise of more than all", "share: 0.9", "share: 90", "want each within 0 and 1"},
		{"a promise within no distance", "within_m: 200000", "within_m: .inf", "within_m is +Inf"},
		{"a misspelt key", "abstain_above_m", "abstain_over_m", `unknown field "abstain_over_m"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := withExpected(t, tt.old, tt.replacement)
			if !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant ErrBundle with %q", err, tt.want)
			}
		})
	}
}
