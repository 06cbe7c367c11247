//go:build wasip1

// Package export_sluicebox_stage_loader answers the host's calls; its name is what wit-bindgen asks for.
package export_sluicebox_stage_loader

import (
	"sluicebox.dev/stage/internal/answer"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_batches"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_types"
	"sluicebox.dev/stage/internal/wit/types"
)

type (
	fault   = sluicebox_stage_types.Fault
	nothing = wit_types.Result[wit_types.Unit, fault]
)

// Open answers `open`.
func Open(
	context sluicebox_stage_types.RunContext, config string, input []sluicebox_stage_types.Field, loadID string, part uint32,
) nothing {
	return answer.Nothing(func() error {
		return calls.TheLoader.Open(answer.Context(context), config, answer.SchemaOf(input), loadID, int(part))
	})
}

// Write answers `write`.
func Write(batch *sluicebox_stage_batches.Batch) nothing {
	return answer.Nothing(func() error { return calls.TheLoader.Write(answer.Batch(batch)) })
}

// Prepare answers `prepare`.
func Prepare() wit_types.Result[string, fault] {
	return answer.Call(calls.TheLoader.Prepare, func(receipt string) string { return receipt })
}

// Commit answers `commit`.
func Commit(config, loadID string, receipts []string) nothing {
	return answer.Nothing(func() error { return calls.TheLoader.Commit(config, loadID, receipts) })
}

// Abort answers `abort`.
func Abort(config, loadID string, receipts []string) nothing {
	return answer.Nothing(func() error { return calls.TheLoader.Abort(config, loadID, receipts) })
}
