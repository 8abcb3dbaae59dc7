// Package devbroker runs one Kafka broker inside the process: for the demo, for
// development, and for tests.
//
// It promises the protocol: consumer groups, transactions, read_committed, on
// loopback, with its data in memory or in a directory that the next start
// continues from. [Broker.OnRequest] makes it lie, refuse and hang up on demand.
//
// It refuses to be a broker for data that matters. A process that is killed
// loses the state of open transactions; only [Broker.Close] saves everything.
// Claims about broker crashes are proven on Apache Kafka instead.
package devbroker
