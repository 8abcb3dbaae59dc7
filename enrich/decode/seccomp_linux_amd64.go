package decode

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// otherABI refuses x32, whose calls have numbers of their own.
func otherABI() []unix.SockFilter {
	const x32 = 0x40000000
	return []unix.SockFilter{
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, Jf: 1, K: x32},
		failWith(unix.EPERM),
	}
}

// oldCalls are denied and older than arm64.
func oldCalls() []uint32 {
	return []uint32{
		unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CREAT, unix.SYS_MKDIR, unix.SYS_RMDIR, unix.SYS_MKNOD, unix.SYS_UNLINK, unix.SYS_LINK, unix.SYS_SYMLINK,
		unix.SYS_RENAME, unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT,
		unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_CREATE_MODULE, unix.SYS_USELIB,
	}
}

// oldOpen is open, which arm64 has only as openat.
func oldOpen(writing uint32) []unix.SockFilter {
	return argument(unix.SYS_OPEN, 1, unix.BPF_JSET, writing, false)
}
