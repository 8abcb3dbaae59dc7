package demo

import "embed"

// shipped are the photos of the binary, with their manifest; photos/LICENCES.md says whose they are.
//
//go:embed photos
var shipped embed.FS
