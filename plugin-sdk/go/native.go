//go:build !wasip1

package stage

import _ "sluicebox.dev/stage/internal/memory" // stands in for the host
