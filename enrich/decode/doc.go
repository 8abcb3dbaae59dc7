// Package decode turns the bytes of a photo into the pixels the model was
// trained on, and reads when and where a camera says they were taken.
//
// It promises:
//
//   - Exact geometry. The source is the centre square of the upright photo with
//     side Crop × min(width, height), as a float box; it is resampled with an
//     antialiased bicubic (a = −0.5) that agrees with Pillow's
//     Image.resize((S, S), BICUBIC, box=…) to the last bit for lossless input.
//     A JPEG is first scaled by 1/2, 1/4 or 1/8 inside its decoder when at
//     least two source samples per output sample remain, and only the columns
//     and rows that are needed are made. JPEGs go straight through
//     libjpeg-turbo; what it refuses, or has inks, libvips decodes and judges.
//     The Huffman codes of large baseline ones are read, and their smooth blocks
//     made samples, by our own code, to the same pixels; a photo that it
//     stumbles over is read without it.
//   - Limits before pixels. The format is recognised by its first bytes in Go,
//     from a list of seven; bytes, pixels, shorter side and aspect are checked
//     on the header. libvips' loaders that it calls untrusted are blocked.
//   - One answer: pixels, or an error that is one of [ErrEmpty], [ErrFormat],
//     [ErrLimits] and [ErrCorrupt] and reads as a sentence about the photo.
//   - Bounded metadata. EXIF is read in Go, within half a second and 8 MiB; it is
//     hidden from C, where a few crafted kilobytes of it run for minutes.
//   - Bounded memory. A sequential photo is read top to bottom in strips. No
//     more than GOMAXPROCS photos are in C at a time, and half as many of the
//     formats whose codecs start threads of their own (HEIC, AVIF).
//   - One photo cannot hurt another. A [Pool] decodes in processes of the same
//     program that share only the pixels and the bytes of one photo with it. A
//     process that dies, answers nonsense, takes more memory or more time than
//     it may is killed and replaced. Where Linux on amd64 or arm64 lets them,
//     they cannot open a connection, write a file, or start or signal a process.
//     They die with their parent.
//   - No Go pointer stays in C: one photo is one C call, and dst may be memory
//     that Go does not know ([Slots]).
//
// What can be converted is: the first frame of an animation, the first page of
// a TIFF, 16 bits to 8, grey and CMYK to sRGB, transparency onto white. EXIF
// orientation is applied once; for HEIC and AVIF it is the container's rotation
// that counts and the EXIF tag is history. Colour profiles of RGB photos are
// not applied, because they were not in training.
//
// It refuses RAW, SVG, PDF, BMP, JPEG XL and JPEG 2000, embedded thumbnails, and
// photos that end before the needed rows do.
//
// A [Decoder] works in the process of its caller, where it cannot stop a running
// codec nor outlive a crash inside one. The worker and the demo use a Pool;
// explaining one photo, evaluating and verifying a bundle use a Decoder, because
// they end with the photo that breaks them and lose nothing. A Pool does not
// keep a codec that was taken over from lying about later photos of its process,
// nor from reading the files that the worker's user can read.
package decode
