//go:build !linux

package infer

// withOwnSignals calls f: CUDA is used on Linux only.
func withOwnSignals(f func() error) error { return f() }
