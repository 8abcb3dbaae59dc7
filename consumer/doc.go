// Package consumer is planetag's only door to Kafka.
//
// # What it promises
//
//   - One handler call per assigned partition and generation. A handler reads its
//     partition in order with [Assignment.Fetch] and moves on with
//     [Assignment.Commit], which writes any number of records to any topics and
//     the next input offset in one transaction: all of it is visible to a
//     read_committed reader, or none.
//   - Fencing before reading. An assignment begins by taking over the
//     transactional id of its partition (<group>/<stage>/<topic>/<partition>),
//     which ends whatever a previous owner left open, and only then asks for the
//     committed offset. A previous owner that wakes up later can neither publish
//     nor move the offset: its producer epoch and its generation are stale.
//   - Only committed input. Aborted batches and control batches are dropped,
//     empty batches stepped over, checksums verified.
//   - Errors that say what to do. Every error of an assignment is [ErrRestart]
//     (take over again, go on from the committed offset), [ErrFenced] (this
//     generation is over) or an error that no repetition can heal.
//   - The same for work whose progress is no offset: a [Writer] fences the holder
//     of its transactional id before it, and writes records in transactions.
//   - No loss in silence. Offsets that retention deleted before they were read
//     are reported to [Observer.DataLost] and to the log.
//
// # What it refuses
//
//   - Auto-creating topics: [Client.EnsureTopics] creates the topics it is told
//     to, everything else must exist.
//   - Guessing the outcome of a transaction. When the answer to the commit is
//     lost, the assignment starts again from what the broker says is committed.
//   - Message formats older than record batches (Kafka 0.11).
//   - kafka-go's Reader and Writer: the first commits offsets of a partition it
//     no longer owns and shows aborted records, the second cannot take part in a
//     transaction. This package is built on ConsumerGroup, Transport and the
//     protocol packages of the same library.
//
// # Non-obvious
//
//   - The answer to a commit arrives before the transaction is closed on every
//     partition; the next one may be refused with CONCURRENT_TRANSACTIONS for a
//     moment. The first pause is therefore one millisecond, not one hundred.
//   - A request that may still be on its way when its connection broke is not
//     followed by an abort under the same producer epoch. Taking over again
//     aborts with a higher epoch, so that the late request meets a closed door.
//   - Offset commits inside a transaction are not repeated after a lost
//     connection: arriving late, the first copy could rewind a later transaction.
//   - A batch of a transaction is sent again with the same bytes and the same
//     sequence number, so that the broker can drop the second copy.
package consumer
