// Package transform is for stages that turn batches into batches.
//
//	func init() { transform.Register(stage.Plugin{Name: "upper", Summary: "..."}, open) }
package transform

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/host"
)

// Input is where batches come from: the stage's Name and the Schema of its batches.
type Input = calls.Input

// Stage is an open transform.
type Stage interface {
	// Process takes a batch of input number `input`, counted from 0. All of the inputs but the first are delivered before
	// the first. It answers with the batches that go on, each of the schema that Open answered with.
	Process(input int, batch *stage.Batch) ([]*stage.Batch, error)
}

// Finisher is a Stage that has something to give after the last batch. Finish is called again until it answers nil.
type Finisher interface {
	Finish() (*stage.Batch, error)
}

// Open answers with the stage and the schema of what comes out. It is also called without data, to check a pipeline before
// it runs. O is a struct; its fields are the options.
type Open[O any] func(context stage.Context, options O, inputs []Input) (Stage, stage.Schema, error)

// Register makes the program a transform. Call it once, in init.
func Register[O any](plugin stage.Plugin, open Open[O]) {
	calls.Register[O](calls.Transform, plugin)
	calls.TheTransformer = &transformer[O]{open: open}
}

type transformer[O any] struct {
	open  Open[O]
	stage Stage
}

func (t *transformer[O]) Open(context stage.Context, config string, inputs []calls.Input) (stage.Schema, error) {
	options, err := calls.Options[O](config)
	if err != nil {
		return nil, err
	}
	opened, schema, err := t.open(context, options, inputs)
	t.stage = opened
	return schema, err
}

func (t *transformer[O]) Process(input int, batch *stage.Batch) ([]host.Batch, error) {
	if err := calls.Opened(t.stage != nil); err != nil {
		return nil, err
	}
	batches, err := t.stage.Process(input, batch)
	if err != nil {
		return nil, err
	}
	out := make([]host.Batch, len(batches))
	for i, batch := range batches {
		if out[i], err = batch.Give(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *transformer[O]) Finish() (host.Batch, error) {
	if err := calls.Opened(t.stage != nil); err != nil {
		return nil, err
	}
	finisher, ok := t.stage.(Finisher)
	if !ok {
		return nil, nil
	}
	batch, err := finisher.Finish()
	if err != nil || batch == nil {
		return nil, err
	}
	return batch.Give()
}
