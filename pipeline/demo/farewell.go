package demo

import (
	"path/filepath"

	"planetag/enrich/bundle"
	"planetag/pipeline"
)

// closing says how good the model really is, and what to try next. It quotes no figure: the held-out ones are in the
// bundle's card, and eval measures them again.
func (s screen) closing(b *bundle.Bundle, shippedPhotos bool) {
	s.printf("\nThe model %s is small and shows how the worker works, not how well photos can be located.\n", b.Manifest.Name)
	if shippedPhotos {
		s.printf("These photos were picked for the demo; the figures above say little about yours.\n")
	}
	s.printf("Held-out figures: %s. Measure it on your own photos: planetag eval --help\n", filepath.Join(b.Dir, "CARD.md"))
	s.printf("\nTry next:\n")
	for _, row := range [][2]string{
		{"planetag explain PHOTO.jpg", "every step of one answer, with its time"},
		{"planetag demo FOLDER", "your own photos; sub-folders are albums"},
		{"planetag config print", "every setting of `planetag run` with its value"},
	} {
		s.printf("  %-28s %s\n", row[0], s.paint(faint, row[1]))
	}
}

// kept says how to reach what is left running.
func (s screen) kept(c pipeline.Config, configuration string) {
	s.printf("\nEverything keeps running until ^C:\n")
	s.printf("  broker    %s  topics %s → %s\n", c.Kafka.Brokers[0], c.Topics.Input, c.Topics.Locations)
	s.printf("  S3        %s  bucket %s, keys %s / %s\n", c.S3.Endpoint, c.S3.Bucket, accessKey, secretKey)
	s.printf("  metrics   http://%s/metrics\n", c.HTTP.Listen)
	s.printf("Send it more photos from another terminal:\n  planetag demo FOLDER --attach %s\n", configuration)
}
