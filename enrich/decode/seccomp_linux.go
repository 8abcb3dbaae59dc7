//go:build linux && (amd64 || arm64)

package decode

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a filter reads is struct seccomp_data: the number of the call, the
// architecture, the instruction pointer and six arguments of 64 bits.
const (
	seccompNumber = 0
	seccompArch   = 4
	seccompArgs   = 16
)

// filterCalls makes every thread of this process fail with EPERM at the system
// calls that reach the network, other processes, or files for writing. A codec
// that was taken over is left with processor time and the memory it has.
func filterCalls() error {
	runtime.LockOSThread() // no new rights is first a property of the thread
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new rights: %w", err)
	}
	filter := callFilter(uint32(os.Getpid()))
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, no := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	switch {
	case no == 0:
		return nil
	case errors.Is(no, unix.ENOSYS), errors.Is(no, unix.EINVAL):
		return fmt.Errorf("%w: %w", errNoFilter, no)
	}
	return fmt.Errorf("filter system calls: %w", no)
}

func callFilter(pid uint32) []unix.SockFilter {
	f := []unix.SockFilter{
		load(seccompArch),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: auditArch},
		answerWith(unix.SECCOMP_RET_KILL_PROCESS),
		load(seccompNumber),
	}
	f = append(f, otherABI()...)
	for _, call := range append(deniedCalls(), oldCalls()...) {
		f = append(f, unless(call), failWith(unix.EPERM))
	}
	// Their arguments lie behind a pointer, where no filter can look. Libraries
	// take ENOSYS for an older kernel and use the calls below.
	for _, call := range []uint32{unix.SYS_CLONE3, unix.SYS_OPENAT2} {
		f = append(f, unless(call), failWith(unix.ENOSYS))
	}
	const writing = unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND
	f = append(f, argument(unix.SYS_CLONE, 0, unix.BPF_JSET, unix.CLONE_THREAD, true)...)
	f = append(f, argument(unix.SYS_OPENAT, 2, unix.BPF_JSET, writing, false)...)
	f = append(f, oldOpen(writing)...)
	for _, call := range []uint32{unix.SYS_KILL, unix.SYS_TGKILL} {
		f = append(f, argument(call, 0, unix.BPF_JEQ, pid, true)...)
	}
	return append(f, allow())
}

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

// unless skips the next instruction unless what is loaded is k.
func unless(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: k}
}

// argument allows or refuses a call by the low half of one argument, all that
// these have; test is BPF_JEQ or BPF_JSET.
func argument(call uint32, index int, test uint16, k uint32, allowed bool) []unix.SockFilter {
	yes, no := allow(), failWith(unix.EPERM)
	if !allowed {
		yes, no = no, yes
	}
	return []unix.SockFilter{
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 4, K: call},
		load(uint32(seccompArgs + 8*index)), // both architectures are little-endian
		{Code: unix.BPF_JMP | test | unix.BPF_K, Jf: 1, K: k},
		yes, no,
	}
}

func allow() unix.SockFilter { return answerWith(unix.SECCOMP_RET_ALLOW) }

func failWith(no unix.Errno) unix.SockFilter {
	return answerWith(unix.SECCOMP_RET_ERRNO | uint32(no))
}

func answerWith(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
}
