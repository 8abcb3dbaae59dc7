// Package devstore is an S3 store for the demo, for tests and for a developer's machine: in memory, on the loopback, gone
// with the process. It answers S3's errors truthfully enough to test how a client takes them, and can be made to fail.
//
// It refuses to be a store: nothing is kept, no signature is verified, and no other machine can reach it.
package devstore
