// Package report puts what a run found into its section of a document, so that no figure in it is written by hand.
//
// It promises that everything else in the document stays as it is, and refuses to guess where a section belongs: without the two comments that carry its
// name nothing is written.
package report
