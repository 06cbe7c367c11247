// Makes rows of numbers, going on where the run before ended.
package main

import (
	"strconv"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/extract"
)

// Options are which numbers.
type Options struct {
	Rows  int64 `doc:"How many rows a run makes." min:"0"`
	Start int64 `doc:"The first number; a bookmark goes before it." default:"0"`
	Batch int64 `doc:"Rows of a batch." default:"8192" min:"1" max:"65536"`
}

var (
	n      = stage.NotNull("n", stage.Int64)
	label  = stage.Nullable("label", stage.UTF8)
	half   = stage.NotNull("half", stage.Float64)
	schema = stage.Schema{n, label, half}
)

type numbers struct {
	Options
	first, next int64
}

func init() {
	extract.Register(stage.Plugin{
		Name:    "numbers-go",
		Summary: "Makes rows of numbers, going on where the run before ended",
	}, open)
}

func main() {}

func open(_ stage.Context, options Options, bookmark *string) (extract.Stage, stage.Schema, error) {
	first := options.Start
	if bookmark != nil {
		var err error
		if first, err = strconv.ParseInt(*bookmark, 10, 64); err != nil {
			return nil, nil, stage.InvalidConfig("the bookmark %q is no number; set it to the next one", *bookmark)
		}
	}
	return &numbers{options, first, first}, schema, nil
}

func (s *numbers) Next() (*extract.Page, error) {
	rows := min(s.Batch, s.Rows-(s.next-s.first))
	if rows <= 0 {
		return nil, nil
	}
	batch, err := batchOf(s.next, int(rows))
	if err != nil {
		return nil, err
	}
	s.next += rows
	done := float64(s.next-s.first) / float64(s.Rows)
	return extract.NewPage(batch).Bookmark(strconv.FormatInt(s.next, 10)).Progress(done), nil
}

// batchOf is rows from a number on.
func batchOf(first int64, rows int) (*stage.Batch, error) {
	numbers := make([]int64, rows)
	halves := make([]float64, rows)
	labels := stage.NewTextBuilder(label, rows, 16*rows)
	for i := range rows {
		number := first + int64(i)
		numbers[i], halves[i] = number, float64(number)/2
		if (number%10+10)%10 == 9 {
			labels.AppendNull()
		} else {
			labels.Append("row " + strconv.FormatInt(number, 10))
		}
	}
	return stage.NewBatch(stage.NumberColumn(n, numbers), labels.Column(), stage.NumberColumn(half, halves))
}
