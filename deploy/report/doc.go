// Package report puts what a run found into its section of a document, so that no figure in it is written by hand, and reads the commands that a document
// promises to work, so that a test can run them.
//
// It promises that everything else in the document stays as it is, and refuses to guess where a section belongs: without the two comments that carry its
// name nothing is written.
package report
