//go:build wasip1

package stage

import (
	"log"
	"log/slog"

	_ "sluicebox.dev/stage/internal/folders" // relative paths
	_ "sluicebox.dev/stage/internal/guest"   // the host
)

func init() {
	slog.SetDefault(slog.New(Handler{}))
	log.SetFlags(0)
}
