package eval

import (
	"testing"

	"planetag/enrich"
)

func seen(digest byte, embedding ...float32) item {
	it := item{sight: enrich.Sight{Embedding: embedding}}
	it.digest[0] = digest
	return it
}

func TestNearestIsByAngleAndNeverItself(t *testing.T) {
	gallery := []item{
		seen(1, 1, 0),
		seen(2, 0, 100), // long, but at a right angle to the first
		seen(3, 0, 0),   // a dead embedding
		seen(4, 1, 0),   // the first again, other bytes
	}
	for _, row := range []struct {
		story string
		query item
		want  int
	}{
		{"length does not matter, the angle does", seen(9, 5, 1), 0},
		{"the other way", seen(9, 1, 5), 1},
		{"the same file may not answer, its twin may", seen(1, 1, 0), 3},
		{"on a tie the first answers", seen(9, 3, 0), 0},
	} {
		if got := matches([]item{row.query}, gallery)[0].nearest; got != row.want {
			t.Errorf("%s: gallery photo %d, want %d", row.story, got, row.want)
		}
	}
	if got := matches([]item{seen(1, 1, 0)}, gallery[:1])[0].nearest; got != -1 {
		t.Errorf("a gallery of only the photo itself answered %d", got)
	}
}
