//go:build wasip1

package load

import _ "sluicebox.dev/stage/internal/wit/exports/load" // the exports of the component
