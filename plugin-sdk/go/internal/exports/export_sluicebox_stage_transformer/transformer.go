//go:build wasip1

// Package export_sluicebox_stage_transformer answers the host's calls; its name is what wit-bindgen asks for.
package export_sluicebox_stage_transformer

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/answer"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/guest"
	"sluicebox.dev/stage/internal/host"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_batches"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_transformer"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_types"
	"sluicebox.dev/stage/internal/wit/types"
)

type fault = sluicebox_stage_types.Fault

// Open answers `open`.
func Open(
	context sluicebox_stage_types.RunContext, config string, inputs []sluicebox_stage_transformer.Input,
) wit_types.Result[[]sluicebox_stage_types.Field, fault] {
	return answer.Call(func() (stage.Schema, error) {
		list := make([]calls.Input, len(inputs))
		for i, input := range inputs {
			list[i] = calls.Input{Name: input.Name, Schema: answer.SchemaOf(input.Schema)}
		}
		return calls.TheTransformer.Open(answer.Context(context), config, list)
	}, answer.Schema)
}

// Process answers `process`.
func Process(
	input uint32, batch *sluicebox_stage_batches.Batch,
) wit_types.Result[[]*sluicebox_stage_batches.Batch, fault] {
	return answer.Call(func() ([]host.Batch, error) {
		return calls.TheTransformer.Process(int(input), answer.Batch(batch))
	}, func(batches []host.Batch) []*sluicebox_stage_batches.Batch {
		out := make([]*sluicebox_stage_batches.Batch, len(batches))
		for i, batch := range batches {
			out[i] = guest.Cross(batch)
		}
		return out
	})
}

// Finish answers `finish`.
func Finish() wit_types.Result[wit_types.Option[*sluicebox_stage_batches.Batch], fault] {
	return answer.Call(calls.TheTransformer.Finish, func(batch host.Batch) wit_types.Option[*sluicebox_stage_batches.Batch] {
		if batch == nil {
			return wit_types.None[*sluicebox_stage_batches.Batch]()
		}
		return wit_types.Some(guest.Cross(batch))
	})
}
