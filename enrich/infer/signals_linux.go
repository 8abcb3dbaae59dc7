package infer

import (
	"syscall"
	"unsafe"
)

// action is the kernel's struct sigaction, of which nothing is read but whether
// it is another: 32 bytes on every 64-bit Linux, with room to spare.
type action [64]byte

const (
	signals   = 64 // numbered from 1
	maskBytes = 8  // of the kernel's sigset_t
)

// private are the signals of the C library itself, which it handles from the
// first time on that it needs to: undoing that would be the end of the process.
func private(signal int) bool { return signal == 32 || signal == 33 }

// withOwnSignals calls f and then undoes what it did to the handling of signals.
// CUDA installs handlers of its own, without an alternate stack, on which the Go
// runtime ends the process at the next SIGTERM ("non-Go code set up signal handler
// without SA_ONSTACK flag"). Nobody may ask for signals meanwhile.
func withOwnSignals(f func() error) error {
	var before [signals + 1]action
	for s := 1; s <= signals; s++ {
		before[s], _ = exchange(s, nil) // fails for none that can be asked for
	}
	defer func() {
		for s := 1; s <= signals; s++ {
			if now, ok := exchange(s, nil); ok && now != before[s] && !private(s) {
				exchange(s, &before[s])
			}
		}
	}()
	return f()
}

// exchange is how a signal was handled, and sets how it is to be.
func exchange(signal int, to *action) (was action, ok bool) {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(signal),
		uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(&was)), maskBytes, 0, 0)
	return was, errno == 0
}
