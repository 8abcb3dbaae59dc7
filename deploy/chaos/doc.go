// Package chaos breaks things around real planetag processes on purpose and counts what came out.
//
// It promises that its verdict comes from outside: references are written and all topics are read (read_committed) by franz-go, a client that planetag does
// not use; every reference that was sent is looked for by its topic, partition and offset; and a worker that commits offsets outside of its
// transactions is found guilty, which a test shows. Plans are drawn from a seed that is printed; the order of faults is the same for the same seed, the
// moments at which they strike are the machine's.
//
// It refuses to measure speed, and to call anything tested that it did not count. `make chaos` runs all rows, `make chaos-short` a few minutes of them,
// as `make test` does.
package chaos
