// Package realkafka starts the real parts that planetag is tested against: Apache Kafka, Kafka Connect, OpenSearch and Elasticsearch,
// run by Java from their own jars, the S3 server versitygw, and PostgreSQL with PostGIS.
//
// It promises a broker or a server on a free loopback port, ready when Start or StartVersity returns, with its data in the test's temporary directory,
// and no process left when the test ends, also when it ends by a panic or a time-out. `make setup-test` installs what it runs,
// `make test-connect` Kafka Connect and `make test-elasticsearch` Elasticsearch.
//
// It refuses to download anything, and to be used outside tests. Where a part is missing the test is skipped with a sentence naming the part, or fails
// when PLANETAG_REQUIRE_ALL is 1.
package realkafka
