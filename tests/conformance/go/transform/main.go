// The transform of the conformance suite: what a stage can do, by mode.
package main

import (
	"slices"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/transform"
)

// Options are the mode, and what belongs to some of the modes.
type Options struct {
	Mode    string     `doc:"What is done."`
	Form    string     `doc:"copy: the form in which columns cross." enum:"typed,raw,strings" default:"typed"`
	Column  string     `doc:"add-one, length, filter: the column that is worked on." default:""`
	Columns [][]string `doc:"select: pairs of the old and the new name." default:"[]"`
	Offset  int        `doc:"slice: the first row." default:"0" min:"0"`
	Rows    int        `doc:"slice: how many rows." default:"0" min:"0"`
	Kind    string     `doc:"fault: its kind." default:"internal"`
	Message string     `doc:"fault: its message." default:""`
	Row     *int       `doc:"fault: its row." min:"0"`
	Call    string     `doc:"fault: the call that fails." enum:"open,process,finish" default:"process"`
}

var (
	length = stage.Nullable("length", stage.Int32)
	totals = stage.Schema{
		stage.NotNull("input", stage.UTF8), stage.NotNull("batches", stage.Int64), stage.NotNull("rows", stage.Int64),
	}
	contextSchema = stage.Schema{
		stage.NotNull("pipeline", stage.UTF8), stage.NotNull("stage", stage.UTF8), stage.NotNull("attempt", stage.Int32),
		stage.NotNull("interval-start", stage.UTF8), stage.NotNull("interval-end", stage.UTF8),
	}
)

type conform struct {
	Options
	context       stage.Context
	work          func(*conform, *stage.Batch) (*stage.Batch, error)
	kept          []*stage.Batch
	names         []string
	batches, rows []int64
	told          bool
}

func init() {
	transform.Register(stage.Plugin{
		Name:    "conform-transform-go",
		Summary: "What a transform can do, for the conformance suite",
	}, open)
}

func main() {}

func open(context stage.Context, options Options, inputs []transform.Input) (transform.Stage, stage.Schema, error) {
	work, found := modes[options.Mode]
	if !found {
		return nil, nil, stage.InvalidConfig("there is no mode %q", options.Mode)
	}
	c := &conform{
		Options: options, context: context, work: work,
		batches: make([]int64, len(inputs)), rows: make([]int64, len(inputs)),
	}
	if err := c.failIn("open"); err != nil {
		return nil, nil, err
	}
	for _, input := range inputs {
		c.names = append(c.names, input.Name)
	}
	schema, err := c.schema(inputs[0].Schema)
	return c, schema, err
}

// schema is that of what comes out.
func (c *conform) schema(in stage.Schema) (stage.Schema, error) {
	var err error
	switch c.Mode {
	case "length":
		_, err = in.Need(c.Column, stage.UTF8)
		return in.With(length), err
	case "add-one":
		_, err = in.Need(c.Column, stage.Int64)
	case "filter":
		_, err = in.Need(c.Column, stage.Boolean)
	case "select":
		var out stage.Schema
		for _, pair := range c.Columns {
			if len(pair) != 2 {
				return nil, stage.InvalidConfig("columns: %q is no pair of the old and the new name", pair)
			}
			field, err := in.Need(pair[0])
			if err != nil {
				return nil, err
			}
			field.Name = pair[1]
			out = append(out, field)
		}
		return out, nil
	case "zip":
		out := slices.Clone(in)
		for _, field := range in {
			field.Name += "_2"
			out = append(out, field)
		}
		return out, nil
	case "totals":
		return totals, nil
	case "context":
		return contextSchema, nil
	}
	return in, err
}

func (c *conform) Process(input int, batch *stage.Batch) ([]*stage.Batch, error) {
	c.batches[input]++
	c.rows[input] += int64(batch.Rows())
	out, err := c.work(c, batch)
	if out == nil || err != nil {
		return nil, err
	}
	return []*stage.Batch{out}, nil
}

func (c *conform) Finish() (*stage.Batch, error) {
	if err := c.failIn("finish"); err != nil {
		return nil, err
	}
	if len(c.kept) > 0 {
		first := c.kept[0]
		c.kept = c.kept[1:]
		return first, nil
	}
	if c.Mode != "totals" || c.told {
		return nil, nil
	}
	c.told = true
	return stage.NewBatch(
		stage.TextColumn(totals[0], c.names), stage.NumberColumn(totals[1], c.batches), stage.NumberColumn(totals[2], c.rows),
	)
}
