package decode

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// otherABI, oldCalls and oldOpen are what only amd64 has.
func otherABI() []unix.SockFilter      { return nil }
func oldCalls() []uint32               { return nil }
func oldOpen(uint32) []unix.SockFilter { return nil }
