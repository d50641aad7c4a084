//go:build !linux

package chaos

import "syscall"

// withParent does nothing: only Linux can end a child with its parent.
func withParent(*syscall.SysProcAttr) {}
