package stage

import "syscall"

// The path is in no folder that was granted.
const notCapable = syscall.Errno(76)
