// Package wrap makes a bundle of an ONNX classifier that somebody already has: the reading of bytes of pixels before it, softmax
// and the choice of the most probable classes behind it, the table of where its classes are, golden pictures, a card.
//
// It promises that the classifier itself is not touched, and that what it cannot wrap is refused with the reason and the remedy: a
// network of another form, weights that lie outside the file, classes of another number than the table's. It measures nothing: the
// bundle abstains always until somebody calibrates it. train/wrap.py does both at once and needs Python.
package wrap
