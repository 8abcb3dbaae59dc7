// Package mapping turns what lies on somebody's topic into references, and locations into what somebody's readers want,
// by programs in jq. It is the only home of gojq, of Avro and of the schema registry.
//
// # What it promises
//
//   - A program is compiled once and may be run by many goroutines. It sees the record's value, decoded from JSON, and
//     the variables $key, $headers, $topic and $timestamp; beside jq's own functions it has s3key and s3url.
//   - No output, one or several: a program's outputs are returned in order. [ErrMap] says why a record has none.
//   - The same record gives the same outputs, today and when it is read again: there is no clock, no environment, no
//     time zone of the machine, no other input, no file. A program that asks for one does not compile.
//   - No program holds a record up: it is stopped after 50 ms, and, because a machine that pauses looks the same, once
//     more after two seconds; then the record cannot be mapped.
//   - The presets are texts like anybody's: [Show] returns what is run.
//
// # What it refuses
//
// To guess: a key that is not escaped where its store says it is, a change event without the columns that name the photo,
// a time that may be days or microseconds are errors that say what to write instead. To know photos: what an output means
// is for package pipeline to say.
package mapping
