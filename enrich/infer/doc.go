// Package infer runs a bundle's graphs on ONNX Runtime: the network that
// sees one photo ([CNN]) and the album models that read the embeddings of an
// album in capture order ([Album]).
//
// It promises:
//
//   - No call returns while C code still reads or writes its memory. When a
//     context ends, the run is told to terminate (ONNX Runtime looks between
//     two operators) and awaited. Close waits for the runs in progress.
//   - A graph whose names, types or shapes differ from what was asked for is
//     refused when it is opened, with both sides in the message ([ErrGraph]).
//   - One session serves any number of goroutines. It uses the caller's thread
//     and starts none, so the number of callers is the number of cores used,
//     and an idle session costs nothing.
//   - A batch is computed in pieces of the size that was cheapest when the graph
//     was opened, and nothing is computed that nobody asked for.
//   - What a closed model occupied is given back to the operating system.
//
// It refuses:
//
//   - to search the network for a library: [FindLibrary] looks at this machine
//     and says in one sentence what to do when there is none;
//   - two ONNX Runtime libraries in one process: the runtime is global to it.
//
// Tensors lie in memory outside the Go heap, because ONNX Runtime keeps
// pointers to them for longer than one call of cgo allows for Go memory.
package infer
