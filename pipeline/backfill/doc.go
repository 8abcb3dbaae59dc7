// Package backfill writes references to the objects of a bucket: all of them once (backfill), or those that are new
// since the last look, again and again (watch).
//
// The way of a backfill: the archive's keys are cut into ranges, which are listed side by side; what passes the filter
// and has no location yet becomes a reference on the backfill topic, keyed by its album; an album that was passed in the
// order of the keys becomes album_complete. One transaction holds some references and the checkpoint behind them.
//
// It promises:
//
//   - After a kill at any moment the same command goes on: no reference is missing and none is there twice, for readers
//     with isolation.level=read_committed. The checkpoint is a record in the same transaction as the references, and is
//     read only after the transactional id was taken over, so that an older lister can write nothing behind it.
//   - album_complete comes once for an album, behind its last photo: a directory has ended only when the listing has left
//     it, sub-directories included, in every range.
//   - A photo whose owner opted out is never referred to, whatever else is asked for.
//   - Memory does not grow with the number of objects, but for about 40 bytes for each photo under the prefix that has a
//     location, which keep it from being looked at again. (A watch holds every key; see Watch.)
//
// It refuses to work without transactions, and to go on with a checkpoint that was made with another filter.
package backfill
