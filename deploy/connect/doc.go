// Package connect holds what Kafka Connect needs to feed the locations to others: postgis.json for Debezium's JDBC sink with the table it writes, its guard
// (table.sql) and a query (near.sql), worker.properties for a worker of its own, and opensearch.json, which is not tested, for Aiven's sink. The topic must hold
// what output.map: connect publishes, for opensearch.json what the default does. docs/connect.md goes through them.
//
// Its tests compare the files with the preset and try the guard on a real PostGIS. `make test-connect` runs the connector itself.
package connect
