// Adds a column that is one column divided by another.
package main

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/transform"
)

// Options are what is divided by what.
type Options struct {
	Numerator   string `doc:"The column above the line."`
	Denominator string `doc:"The column below the line; where it is 0, the ratio is null."`
	As          string `doc:"The name of the new column." default:"ratio"`
}

type ratio struct {
	Options
	field stage.Field
}

func init() {
	transform.Register(stage.Plugin{
		Name:      "{{name}}",
		Summary:   "Adds the ratio of two columns",
		Stateless: true,
	}, open)
}

func main() {}

// open is called once, also to check a pipeline: find here what does not fit, and answer with the columns that come out.
func open(_ stage.Context, options Options, inputs []transform.Input) (transform.Stage, stage.Schema, error) {
	schema := inputs[0].Schema
	for _, name := range []string{options.Numerator, options.Denominator} {
		if _, err := schema.Need(name, stage.NumberTypes()...); err != nil {
			return nil, nil, err
		}
	}
	field := stage.Nullable(options.As, stage.Float64)
	return &ratio{options, field}, schema.With(field), nil
}

// Process is called for each batch. Two columns are copied in and one out; the others stay in the host.
func (r *ratio) Process(_ int, batch *stage.Batch) ([]*stage.Batch, error) {
	above, err := batch.AsFloat64(r.Numerator)
	if err != nil {
		return nil, err
	}
	below, err := batch.AsFloat64(r.Denominator)
	if err != nil {
		return nil, err
	}
	ratios := stage.NewBuilder[float64](r.field, batch.Rows())
	for row := range batch.Rows() {
		a, there := above.At(row)
		b, too := below.At(row)
		if there && too && b != 0 {
			ratios.Append(a / b)
		} else {
			ratios.AppendNull()
		}
	}
	out, err := batch.With(ratios.Column())
	return []*stage.Batch{out}, err
}
