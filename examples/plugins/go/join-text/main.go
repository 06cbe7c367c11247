// Joins columns of text into one.
package main

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/transform"
)

// Options are what is joined, and how.
type Options struct {
	Columns   []string `doc:"The text columns to join, in this order." min:"1"`
	Separator string   `doc:"What stands between the texts." default:"-"`
	As        string   `doc:"The name of the new column; a column of that name is replaced." default:"joined"`
}

type joinText struct {
	Options
	joined stage.Field
}

func init() {
	transform.Register(stage.Plugin{
		Name:      "join-text-go",
		Summary:   "Joins columns of text into one",
		Stateless: true,
	}, open)
}

func main() {}

func open(_ stage.Context, options Options, inputs []transform.Input) (transform.Stage, stage.Schema, error) {
	schema := inputs[0].Schema
	for _, name := range options.Columns {
		if _, err := schema.Need(name, stage.UTF8); err != nil {
			return nil, nil, err
		}
	}
	joined := stage.Nullable(options.As, stage.UTF8)
	return &joinText{options, joined}, schema.With(joined), nil
}

func (j *joinText) Process(_ int, batch *stage.Batch) ([]*stage.Batch, error) {
	columns := make([]stage.Texts, len(j.Columns))
	for i, name := range j.Columns {
		column, err := batch.Text(name)
		if err != nil {
			return nil, err
		}
		columns[i] = column
	}
	builder := stage.NewTextBuilder(j.joined, batch.Rows(), 16*batch.Rows())
	for row := range batch.Rows() {
		j.join(builder, columns, row)
	}
	out, err := batch.With(builder.Column())
	return []*stage.Batch{out}, err
}

// join writes one row; it is null where any text is.
func (j *joinText) join(builder *stage.TextBuilder, columns []stage.Texts, row int) {
	for i, column := range columns {
		text, ok := column.At(row)
		if !ok {
			builder.AppendNull()
			return
		}
		if i > 0 {
			builder.WriteString(j.Separator)
		}
		builder.WriteString(text)
	}
	builder.End()
}
