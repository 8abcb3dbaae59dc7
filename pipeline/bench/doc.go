// Package bench measures a worker and says where its time goes.
//
// It promises:
//
//   - What is measured is the worker itself: `planetag run` in a process of its
//     own, reading a real topic and a real bucket. The broker, the store and the
//     feed live elsewhere, and their processor time counts for nobody.
//   - Photos are counted when they are committed: the group's offsets are read
//     from outside, and the rate is the slope between 40 % and 85 % of the photos,
//     so that neither the start nor the last partition's end is in it, nor how
//     much happened to be in flight at one moment.
//   - Processor time is the kernel's count for the worker's process and its
//     decoder processes. It is shared out among the steps by the worker's own
//     profile, which samples a hundred times a second of processor time.
//   - The ceiling, what decoding and the network cost alone, is measured in the
//     same run, on the same photos.
//   - What no worker could do better on this machine is measured in the same run,
//     and stands beside each goal.
//   - The locations are counted: one for each reference, or there is no result.
//   - A comparison alternates: each round runs every contestant once, one after
//     another, on the same broker, bucket, photos and network.
//
// It refuses to compare figures of two runs: the same machine is another one an
// hour later.
//
// # A peer
//
// A peer is a directory with worker.py and requirements.txt. It is started once
// per core as
//
//	worker.py BROKER S3_HOST:PORT GROUP MODEL.onnx
//
// and reads {"id","bucket","key"} from topic pin, commits the group's offsets
// there, and writes topic pout. Its store's keys are ak and secretkey. Its model
// has the input photo, uint8 [N,S,S,3], and the outputs embedding, p and cell in
// this order: the bundle's own network with its input renamed.
package bench
