// Package table writes rows as Parquet and reads flat Parquet files as rows of
// text, so that whoever takes a CSV takes Parquet too.
//
// A value becomes the text it would have in a CSV: a number in decimal, a
// time as RFC 3339 in UTC, an empty value the empty text. Nested columns and lists
// are refused. Files of others are not trusted: what is damaged is [ErrTable].
package table
