// Package index keeps a search index equal to the locations topic.
//
// # What it promises
//
//   - The index is the fold of the topic: for each photo, what standing.go makes of its records in their order. Reading the
//     topic again, from its start or from where a killed process had come to, ends in the same documents.
//   - A record that was acknowledged by the index, or is on the dead-letter topic with the reason, and nothing else, lets
//     the group's offset pass it.
//   - A photo that was removed, opted out or retracted stays in the index as a document without any content, so that a late
//     older record cannot bring it back.
//   - What is in memory is held against one byte budget (memory.budget).
//
// # The order of a photo's records
//
// An answer's version is its revision. Revisions of photo-level answers are times of references, those of albums are times
// of their closing; an album's is always above those of the photos it answers for. So between answers the greater revision
// holds, and the stage need not be asked.
//
// A removal cannot be ranked like that: it carries the time of its reference, and an album that was closed since, while the
// worker was behind, is ahead of that. So a removal holds over every album-level answer, before it in the partition or after it:
// only a later answer of the photo itself, which the worker publishes before any album's, brings the photo back; see Standing.
// A record that is read again, after what came later, is never newer.
//
// What no order can tell: an old removal that somebody publishes again, after the photo came back, removes it again.
//
// # What it refuses
//
// To write into an index whose mapping or columns differ from what it needs, to read anything but the locations topic, and
// to lose a document that the index refuses: that is a dead letter.
//
// The sinks are in the packages below: opensearch (Elasticsearch, too) and postgis.
package index
