// Package enrich turns the bytes of a photo into the place where it was
// probably taken.
//
// A [Model] is a loaded bundle. One photo walks through three calls:
//
//	Decode   bytes → the pixels the network was trained on   (enrich/decode)
//	Embed    pixels → embedding and most probable cells      (enrich/infer)
//	Answer   cells → location, radius, place, or abstention  (enrich/cells)
//
// and the photos of one album, in capture order, through a fourth between the
// last two:
//
//	Album    embeddings, times, known positions → most probable cells, photo by photo
//
// Where the bundle has learned an archive and knows its owner's days, a photo
// without an album goes through one that looks at no other photo:
//
//	Alone    most probable cells, time → most probable cells
//
// A network that compares the photo with a gallery of places instead answers
// like all others: its places are added up by cell before anything else looks.
//
// It promises:
//
//   - [Load] returns a model only after every byte of the bundle was compared
//     with its checksum, both graphs were compared with the manifest, and the
//     golden photos came out as they did where the bundle was made.
//   - Answer depends on nothing but its arguments: same cells, same answer, in
//     any process at any time.
//   - Nothing in an Answer is finer than the precision cap, and every radius
//     was measured on photos the model had not been trained on; or, where a
//     place follows from photos with a known position, comes from how far people
//     get in the time between ([bundle.Travel]).
//   - A model may be used by any number of goroutines.
//
// It refuses to answer with a number that is not a probability ([ErrOutput]),
// to load a bundle that differs from its manifest, and to pick a place where
// the evidence is thinner than the bundle allows: such an answer is marked
// Abstained. It uses no network and no clock, and knows nothing of Kafka, S3 or
// albums that grow.
package enrich
