//go:build wasip1

package transform

import _ "sluicebox.dev/stage/internal/wit/exports/transform" // the exports of the component
