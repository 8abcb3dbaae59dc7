package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"planetag/enrich"
	"planetag/pipeline/eval"
)

// listed is how many photos of one kind the table names; the JSON names all.
const listed = 20

// Table prints the result for a terminal of 80 columns. Shares are in per cent; under each figure stands its 95 % interval.
func Table(w io.Writer, r eval.Result) error {
	var b strings.Builder
	head(&b, r)
	for _, g := range grids(r) {
		g.text(&b)
	}
	for _, l := range lists(r) {
		l.text(&b)
	}
	_, err := io.WriteString(w, strings.Map(visible, b.String()))
	return err
}

// visible takes what a file name may hold to move a terminal's cursor.
func visible(r rune) rune {
	if r == '\n' || unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// grids are all tables of a result, in the order in which they are read.
func grids(r eval.Result) []grid {
	all := scoreGrid(r, "all photos %", r.Modes, r.Baselines)
	if len(all.Rows) > 0 {
		all.Foot = intervals(r)
	}
	tables := []grid{all}
	if r.AlbumPhotos > 0 {
		tables = append(tables, scoreGrid(r, "in albums %", r.InAlbums))
	}
	tables = append(tables, anchorGrids(r.Anchored)...)
	tables = append(tables, answerGrid(r), riskGrid(r),
		groupGrid(r, "continents %", r.Continents, 0), groupGrid(r, "countries %", r.Countries, mostCountries))
	for _, c := range r.Comparisons {
		tables = append(tables, comparisonGrid(c))
	}
	return tables
}

func intervals(r eval.Result) string {
	if r.Split.Units < 2 {
		return "no 95 % intervals: all photos are one unit"
	}
	return fmt.Sprintf("below each row: 95 %% intervals over %d units (split by %s)", r.Split.Units, r.Split.By)
}

func head(b *strings.Builder, r eval.Result) {
	for _, text := range facts(r) {
		b.WriteString(text + "\n")
	}
	for _, note := range r.Notes {
		b.WriteString("note: " + note + "\n")
	}
}

// facts say what was measured, in a few sentences.
func facts(r eval.Result) []string {
	name := "predictions " + r.Predictions
	if r.Bundle != "" {
		name = fmt.Sprintf("bundle %s  sha256 %.12s", r.Bundle, r.SHA256)
	}
	if r.Precision == enrich.Int8 {
		name += "  its int8 network"
	}
	list := []string{
		name,
		fmt.Sprintf("%d photos scored of %d, %d unreadable; %d of them in %d albums", r.N, r.Photos, len(r.Unreadable), r.AlbumPhotos, r.Albums),
		fmt.Sprintf("split by %s: %d units", r.Split.By, r.Split.Units),
	}
	if r.Placeless > 0 {
		list[1] += fmt.Sprintf("; %d rows without a position were left out", r.Placeless)
	}
	if r.Split.Gallery > 0 {
		list[2] += fmt.Sprintf("; %d photos left out: the gallery holds their unit", len(r.Split.LeftOut))
	}
	if r.Gallery > 0 {
		list = append(list, fmt.Sprintf("%d gallery photos, %d unreadable; %d of the photos are there too", r.Gallery, len(r.GalleryBad), len(r.Duplicates)))
	}
	return list
}
