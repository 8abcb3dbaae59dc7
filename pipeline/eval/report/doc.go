// Package report shows the result of an evaluation to people: [Table] as text for a terminal, [HTML] as one page with plots
// and a map of the errors. Both show the same figures, which are also those of the result's JSON.
//
// The page is a single file that needs nothing else: no script, no font, no picture from elsewhere. It follows the reader's
// choice of light or dark. It refuses to grow without bound: lists stop after some entries and say how many are left.
package report
