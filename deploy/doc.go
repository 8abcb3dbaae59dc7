// Package deploy holds what runs planetag somewhere (the image, the compose file, the set-up) and the tests that keep it from rotting.
//
// It promises, by those tests: docker-compose.yml loads, its images are pinned and its ports stay on loopback; what the Dockerfiles copy exists; the
// commands that the README shows work; set-up refuses a library with a wrong checksum; and the built binary, on Apache Kafka and versitygw, ends every
// photo in exactly one location or dead letter, also when it is killed on the way.
//
// It refuses to hold code that planetag runs: nothing imports it.
package deploy
