// Package pipeline turns references to photos into published locations: order, batching, back-pressure and delivery.
//
// # The walk of one photo
//
// Read photos.go beside this.
//
//  1. consumer.(*Client).RunGroup calls photoStage.handle once for each partition of the input topic that this member of
//     the group was given, with a context that ends with the assignment.
//  2. read fetches records. One of the backfill topic, whose group runs beside that of the input topic, waits for its
//     turn behind live photos (precedence.go). Then each one reserves memory from the [Budget], is put on the partition's queue, and gets a
//     goroutine of its own. The queue's order is the partition's order; its capacity is how many photos are in flight.
//  3. fly, on that goroutine: [InputReader.Read] says which photos the record asks for, none, one or several; package
//     mapping runs the programs that it takes. Each is walked in turn: [Store.Get] → EXIF → decode into a slot →
//     [Batcher.Embed], where the photos of all partitions meet for one call of the CNN → place: a [Location], in the form
//     that [OutputWriter] gives it, and, if the photo has an album, an [Embedding].
//  4. When a step fails, [Judge] gives one of three verdicts. Retry: patiently walks this photo again, for ever, and the
//     partition waits. DeadLetter: the record goes to the dead-letter topic as it came, with the reason, and with the part
//     of it that failed if it asked for several. Stop: nothing more is committed, and the assignment or the worker ends.
//  5. deliver takes photos off the queue in order, waits for each, and commits them in groups: one transaction holds
//     their locations, embeddings, dead letters and the input offset behind the last of them. Groups grow while photos
//     pile up (flush.go). Meanwhile the walks go on.
//
// # The walk of one album
//
// Read albums.go and session.go beside this.
//
//  1. The embeddings topic is keyed by album, so an album lies in one partition, and albumStage.handle has it to itself.
//  2. sessions.apply folds each record into the state: embeddings open albums and add to them, control records complete
//     or close them. Replaying the same records gives the same state, so nothing else has to be kept.
//  3. Once the partition was read up to its end, albums fall due: complete, silent for albums.idle, older than
//     albums.max_age, larger than albums.max_photos, or in the way when memory is short.
//  4. close puts an album's embeddings in capture order, runs the album model, and commits one transaction: a location
//     for each photo, with a higher revision than the photo-level one, a CLOSE marker on the same embeddings partition,
//     and the group's offset, which is the lowest offset that any album still needs.
//  5. A photo that comes late opens its album again, as long as the album lingers; all of its photos are published again
//     with a higher revision.
//
// # What always holds
//
//   - Each thing that a record of the input topic asks for, by default one, ends in exactly one of: a location, a
//     tombstone, a control record, a mention in the record's one dead letter. A record that cannot be understood is a dead
//     letter, and one that asks for nothing is counted. All of it is in the transaction that moves the offset past the
//     record. (With delivery: at_least_once, at least once.)
//   - A location is published in the form that output.map gives it or not at all: a program that fails ends the worker.
//   - The committed offset never passes a record whose outcome is not in the same or an earlier transaction.
//   - How many objects are read at once follows what the store can do; a store from which nothing can be read is looked at
//     by one reader at a time, and every photo waits. No photo is buried for the store's answer unless something else can
//     be read at that moment, nor for its bytes unless the store says that they are all.
//   - An unknown error is retried. Only errors that are named in verdict.go make a dead letter, and the end of a context
//     never does.
//   - Of two answers to one reference the later one has the greater revision, and the album's is greater than the photo's.
//   - A measured position is published as it is (status "given"), an estimate never without its radius, and neither in
//     the place of the other.
//   - Live photos go before those of the backfill topic, which they never wait for longer than for what is in flight; and
//     whoever waits for its turn holds no memory.
//   - Memory that grows with the load is held against the one Budget. Whoever holds some can finish without waiting for
//     more.
//   - No function returns while the model may still read or write memory that it was given.
//   - A goroutine is started by the function that waits for it, and ends by its context.
//
// # When something does not return
//
// Read watchdog.go and run.go beside this. kafka-go sends heartbeats for as long as the process lives, so the [Watchdog]
// knows what each partition, and what they share, is in the middle of, and for how long each kind of work may stay there:
//
//  1. Over its limit, a piece of work is stuck: it is logged once with its place, counted by planetag_watchdog_stuck_total,
//     and /live says 503 until it has returned.
//  2. The stage is told to end, then the call itself. What does return makes the stage join its group again; three times
//     in a row without a commit in between end the process, because a new one may get what this one lacks.
//  3. Handlers that do not return are left behind by the consumer: the group is left without them after ten seconds, and
//     whatever they may still try is fenced.
//  4. What has not returned after shutdown.deadline is in C, and only the end of the process ends it: [Run] returns
//     [ErrStuck] and the command exits with status 70. Nothing it had in hand was committed.
//
// A store or a broker that is away is not stuck. It is waited for in attempts, each of which a time-out ends: the
// membership, the process and /live stay, the lag grows, and /ready says why; see [Health].
//
// # When another bundle is put in its place
//
// Read serving.go and reload.go beside this. A partition is worked on with one bundle from beginning to end. A
// reload loads the next one beside it, and only when that is verified and warm are the partitions begun anew with it, at
// their committed offsets and in the same generation; the old one is closed when its last user has returned, and kept
// until then for albums whose photos it looked at.
//
// # What it refuses
//
// To drop a record, to guess a bucket, to trust a size in an event, to read more of an object than photos.max_object_bytes,
// to put a photo, an album or a key into a metric's label, to serve profiles to other machines unasked, and to start on a
// configuration with a key it does not know.
package pipeline
