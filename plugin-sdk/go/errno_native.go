//go:build !wasip1

package stage

import "syscall"

const notCapable = syscall.EROFS + 10_000
