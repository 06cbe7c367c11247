//go:build wasip1

package extract

import _ "sluicebox.dev/stage/internal/wit/exports/extract" // the exports of the component
