package gazetteer

import (
	"bytes"
	"strings"
	"testing"
)

func everyTown(t testing.TB, text []byte) towns {
	t.Helper()
	all, err := readTowns(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDamagedDataIsRefused(t *testing.T) {
	for _, row := range []struct{ story, text, says string }{
		{"not JSON", "{", "decode"},
		{"a country that is none", `{"countries":[{"id":"12345","rings":[]}]}`, `country "12345"`},
		{"more countries than the bit set has room for", `{"countries":[` + strings.Repeat(`{"id":"004"},`, 300) + `{"id":"004"}]}`, "301 countries"},
	} {
		if _, _, err := readBorders([]byte(row.text)); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.story, err, row.says)
		}
	}
	for _, row := range []struct{ story, text, says string }{
		{"a column is missing", "AD,Canillo,El Tarter,42\n", "wrong number of fields"},
		{"a position in words", "AD,Canillo,El Tarter,north,1\n", `row 1: "north"`},
	} {
		if _, err := readTowns(strings.NewReader(row.text)); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.story, err, row.says)
		}
	}
	if _, err := unpack("data/nothing.gz"); err == nil {
		t.Error("a file that is not there was unpacked")
	}
}
