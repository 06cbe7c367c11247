//go:build wasip1

package validate

import _ "sluicebox.dev/stage/internal/wit/exports/validate" // the exports of the component
