// Package deadletters puts references that died back onto their topic, once.
//
// A dead letter that passes the filter is written as it came, key, value and headers, to the topic that it came from. In
// the same transaction a record on the state topic says so; it is read back when the transactional id was taken over. So a
// replay that is killed goes on, a second one repeats nothing whatever its filter is, and of two at a time one is fenced.
//
// A reference that dies again is a new dead letter, which can be replayed again; its attempts are counted over all of its
// lives.
//
// It refuses to write to any topic but those that the workers read references from.
package deadletters
