// Package onnx writes and changes ONNX models as what they are, protocol buffers: a few fields by their numbers, the rest
// untouched, without a copy of onnx.proto. It runs no graph and understands no operator; package infer does.
package onnx
