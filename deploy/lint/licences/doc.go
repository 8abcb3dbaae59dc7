// Command licences says under which licence each Go module is that is linked into planetag.
//
// It promises to fail for a module without a licence file, with a text that is no known licence, or with a licence that is not on its list; it looks at the
// modules on this machine and at nothing else.
//
// It refuses to judge what is not Go: libvips (LGPL-2.1-or-later) and ONNX Runtime (MIT) are shared libraries that the binary loads.
package main
