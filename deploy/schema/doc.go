// Package schema holds what readers of planetag's records build on: location.schema.json and location.avsc describe a location as JSON and as Avro,
// config.schema.json the configuration.
//
// It promises, by its tests, that the two descriptions of a location say what pipeline.Location says, and that fields are only ever added: released/ holds each
// form that was released, with records of it, and today's must serve the readers and the records of all. `make generate` writes location.avsc; a release that
// changed a location's form adds a copy of the two schemas and of pipeline/testdata/location_*.golden.json as the next number.
package schema
