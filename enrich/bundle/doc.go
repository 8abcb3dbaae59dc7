// Package bundle reads the manifest of a model bundle and proves that the
// bundle's files are the ones the manifest speaks of.
//
// A bundle is one directory. bundle.yaml names every other file with its size
// and SHA-256, the names of the graphs' inputs and outputs, the exact picture
// geometry the network was trained with, the album modes, and the calibration
// tables that turn a probability into a radius. The digest of bundle.yaml
// therefore pins the whole bundle, and it is what a published location carries.
//
// It promises:
//
//   - [Read] returns a manifest only if it is complete and agrees with itself.
//     A key it does not know is refused with the line it stands on.
//   - [Bundle.CheckFiles] has read every byte of every file.
//   - No path of a manifest leads out of the bundle's directory, neither by
//     name nor through a symbolic link.
//
// It refuses:
//
//   - a file the manifest does not list, or lists twice: what is not pinned
//     does not belong to the model;
//   - a schema version other than [Schema], and heads other than
//     classes and gallery;
//   - calibration that does not cover every way the model answers.
//
// It knows nothing of ONNX or S2: whether the graphs keep the manifest's word
// is for package enrich to check.
package bundle
