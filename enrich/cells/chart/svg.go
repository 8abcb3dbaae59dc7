package chart

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
)

// svg is a canvas of text.
type svg struct{ out bytes.Buffer }

func newSVG(width, height int) *svg {
	s := &svg{}
	fmt.Fprintf(&s.out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", width, height, width, height)
	fmt.Fprintf(&s.out, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height)
	return s
}

func (s *svg) polygon(rings [][][2]float64, fill, line color.NRGBA) {
	s.out.WriteString(`<path d="`)
	for _, ring := range rings {
		for i, p := range ring {
			step := 'L'
			if i == 0 {
				step = 'M'
			}
			fmt.Fprintf(&s.out, "%c%.2f %.2f", step, p[0], p[1])
		}
		s.out.WriteByte('Z')
	}
	fmt.Fprintf(&s.out, "\" fill=\"#%02x%02x%02x\" fill-opacity=\"%.2f\" stroke=\"#%02x%02x%02x\" stroke-width=\".4\"/>\n",
		fill.R, fill.G, fill.B, float64(fill.A)/255, line.R, line.G, line.B)
}

func (s *svg) text(x, y float64, text string) {
	fmt.Fprintf(&s.out, "<text x=\"%.1f\" y=\"%.1f\" font-family=\"monospace\" font-size=\"11\">%s</text>\n", x, y, html.EscapeString(text))
}

func (s *svg) finish(w io.Writer) error {
	s.out.WriteString("</svg>\n")
	if _, err := s.out.WriteTo(w); err != nil {
		return fmt.Errorf("write SVG: %w", err)
	}
	return nil
}
