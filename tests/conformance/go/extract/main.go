// The extract of the conformance suite: what a stage can make, by mode.
package main

import (
	"strconv"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/extract"
)

// Options are the mode, and what belongs to some of the modes.
type Options struct {
	Mode    string `doc:"What is done." enum:"types,floats,empty,nothing,bookmarks,fault"`
	Rows    int64  `doc:"bookmarks: how many rows a run makes." default:"0" min:"0"`
	Start   int64  `doc:"bookmarks: the first number; a bookmark goes before it." default:"0"`
	Batch   int64  `doc:"bookmarks: rows of a batch." default:"8192" min:"1" max:"65536"`
	Kind    string `doc:"fault: its kind." default:"internal"`
	Message string `doc:"fault: its message." default:""`
	Row     *int   `doc:"fault: its row." min:"0"`
	Call    string `doc:"fault: the call that fails." enum:"open,next" default:"next"`
}

var (
	n       = stage.NotNull("n", stage.Int64)
	label   = stage.Nullable("label", stage.UTF8)
	half    = stage.NotNull("half", stage.Float64)
	numbers = stage.Schema{n, label, half}
)

type conform struct {
	Options
	first, next int64
	done        bool
}

func init() {
	extract.Register(stage.Plugin{
		Name:    "conform-extract-go",
		Summary: "What an extract can make, for the conformance suite",
	}, open)
}

func main() {}

func open(_ stage.Context, options Options, bookmark *string) (extract.Stage, stage.Schema, error) {
	if err := options.failIn("open"); err != nil {
		return nil, nil, err
	}
	first := options.Start
	if bookmark != nil {
		var err error
		if first, err = strconv.ParseInt(*bookmark, 10, 64); err != nil {
			return nil, nil, stage.InvalidConfig("the bookmark %q is no number; set it to the next one", *bookmark)
		}
	}
	c := &conform{Options: options, first: first, next: first}
	switch options.Mode {
	case "types":
		return c, schemaOf(types()), nil
	case "floats":
		return c, schemaOf(floats()), nil
	}
	return c, numbers, nil
}

// failIn is the fault that the options name for a call.
func (o *Options) failIn(call string) error {
	if o.Mode != "fault" || o.Call != call {
		return nil
	}
	kind, err := stage.ParseFaultKind(o.Kind)
	if err != nil {
		return err
	}
	return &stage.Fault{Kind: kind, Message: o.Message, Row: o.Row}
}

func (c *conform) Next() (*extract.Page, error) {
	first := !c.done
	c.done = true
	switch {
	case c.Mode == "bookmarks":
		return c.page()
	case c.Mode == "fault":
		return nil, c.failIn("next")
	case c.Mode == "types" && first:
		batch, err := stage.NewBatch(types()...)
		return extract.NewPage(batch), err
	case c.Mode == "floats" && first:
		batch, err := stage.NewBatch(floats()...)
		return extract.NewPage(batch), err
	case c.Mode == "empty" && first:
		batch, err := rowsOf(0, 0)
		return extract.NewPage(batch), err
	default:
		return nil, nil
	}
}

func (c *conform) page() (*extract.Page, error) {
	rows := min(c.Batch, c.Rows-(c.next-c.first))
	if rows <= 0 {
		return nil, nil
	}
	batch, err := rowsOf(c.next, int(rows))
	if err != nil {
		return nil, err
	}
	c.next += rows
	done := float64(c.next-c.first) / float64(c.Rows)
	return extract.NewPage(batch).Bookmark(strconv.FormatInt(c.next, 10)).Progress(done), nil
}

// rowsOf is rows of numbers from one on.
func rowsOf(first int64, rows int) (*stage.Batch, error) {
	values := make([]int64, rows)
	halves := make([]float64, rows)
	labels := stage.NewTextBuilder(label, rows, 16*rows)
	for i := range rows {
		number := first + int64(i)
		values[i], halves[i] = number, float64(number)/2
		if (number%10+10)%10 == 9 {
			labels.AppendNull()
		} else {
			labels.Append("row " + strconv.FormatInt(number, 10))
		}
	}
	return stage.NewBatch(stage.NumberColumn(n, values), labels.Column(), stage.NumberColumn(half, halves))
}
