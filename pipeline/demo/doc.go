// Package demo shows the whole worker on real photos, with nothing to install around it.
//
// Run starts a Kafka broker and an S3 server inside the process, on loopback, uploads a folder of photos, publishes one
// reference per photo, runs the very worker that production runs (pipeline.Run), and follows its output topics as any
// consumer would: by reading the published JSON. With Options.Attach the broker, the store and the worker are those of a
// configuration instead, and the demo is only the producer and the reader.
//
// Promises: one printed line per photo, when its final answer is on the topic; every photo is accounted for in the
// Summary or Run fails and names the ones that are missing; no address outside of loopback is contacted unless attached.
//
// Refusals: the embedded parts keep nothing after Run returned and accept no connection from outside; they are for
// trying planetag out, never for production.
package demo
