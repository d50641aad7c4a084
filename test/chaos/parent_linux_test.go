package chaos

import "syscall"

// withParent has the kernel end a child whose test process died.
func withParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
