// Package survey takes stock of an archive: which photos there are, which of them
// know where they were taken, and what the others could learn from those.
//
// The way: the archive is listed in the order of its keys; every photo's EXIF is
// read in parts, so that of a JPEG of several megabytes one request of 64 KiB is
// sent; each listed page and each read photo goes into a journal at once; at the
// end the journal becomes a manifest, which `planetag eval` and the training
// read, and a report.
//
// It promises:
//
//   - Nothing is sent anywhere but requests to the archive, and nothing in it is
//     changed.
//   - A survey that was killed goes on where it was: no page is listed again, and
//     no photo is read again but those being read at that moment.
//   - Every photo is in the manifest once, in the order of the keys; one that
//     could not be read with the reason.
//   - Photos under an opt-out prefix are counted and never read.
//   - Memory does not grow with the number of objects read, but with that of
//     albums, cameras and photos with a time: some 24 bytes a photo.
//
// It refuses to believe every position: those that many albums of many days share
// to the last digit, or that lie off Africa at 0, 0, are set aside and counted.
package survey
