//go:build wasip1

// Package folders makes relative paths mean what they mean in the pipeline file. Go takes the first folder that is granted for
// the working folder, and the granted folders' names as they are; here the working folder is the root, and they lie in it.
package folders

import (
	"path"
	_ "syscall" // its init is to run before
	_ "unsafe"  // for linkname
)

// folder is laid out as syscall's own.
type folder struct {
	fd   int32
	name string
}

//go:linkname granted syscall.preopens
var granted []folder

//go:linkname cwd syscall.cwd
var cwd string

func init() {
	for i := range granted {
		granted[i].name = path.Join("/", granted[i].name)
	}
	cwd = "/"
}
