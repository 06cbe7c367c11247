//go:build wasip1

// Package answer makes one call of the host: stages' words in, the contract's words out.
package answer

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/guest"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_batches"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_types"
	"sluicebox.dev/stage/internal/wit/types"
)

// Call makes the call and shows its answer as the contract has it.
func Call[T, U any](call func() (T, error), show func(T) U) wit_types.Result[U, sluicebox_stage_types.Fault] {
	answer, fault := calls.Run(call)
	if fault != nil {
		return wit_types.Err[U](guest.CrossFault(fault))
	}
	return wit_types.Ok[U, sluicebox_stage_types.Fault](show(answer))
}

// Nothing makes a call without an answer.
func Nothing(call func() error) wit_types.Result[wit_types.Unit, sluicebox_stage_types.Fault] {
	unit := func() (wit_types.Unit, error) { return wit_types.Unit{}, call() }
	return Call(unit, func(unit wit_types.Unit) wit_types.Unit { return unit })
}

// Schema shows a schema.
func Schema(schema stage.Schema) []sluicebox_stage_types.Field {
	return guest.CrossSchema(stage.CrossSchema(schema))
}

// SchemaOf is a schema as it came.
func SchemaOf(schema []sluicebox_stage_types.Field) stage.Schema {
	return stage.SchemaOf(guest.Schema(schema))
}

// Context is a context as it came.
func Context(context sluicebox_stage_types.RunContext) stage.Context {
	return stage.Context{
		RunID: context.RunId, Pipeline: context.Pipeline, Stage: context.Stage, Attempt: int(context.Attempt),
		IntervalStart: context.IntervalStart, IntervalEnd: context.IntervalEnd,
	}
}

// Batch is a batch that the host handed over, for this call.
func Batch(batch *sluicebox_stage_batches.Batch) *stage.Batch { return stage.Adopt(guest.Own(batch)) }
