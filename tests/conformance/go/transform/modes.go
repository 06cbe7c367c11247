package main

import (
	"fmt"
	"log/slog"
	"unicode/utf8"

	"sluicebox.dev/stage"
)

var modes = map[string]func(*conform, *stage.Batch) (*stage.Batch, error){
	"copy":       (*conform).copy,
	"ipc":        (*conform).ipc,
	"add-one":    (*conform).addOne,
	"length":     (*conform).length,
	"filter":     (*conform).filter,
	"take":       (*conform).take,
	"slice":      (*conform).slice,
	"select":     (*conform).selected,
	"concat":     (*conform).concat,
	"zip":        (*conform).zip,
	"fault":      (*conform).fault,
	"crash":      (*conform).crash,
	"bad-answer": (*conform).badAnswer,
	"keep":       (*conform).keep,
	"totals":     (*conform).nothing,
	"context":    (*conform).contextRow,
	"report":     (*conform).report,
}

func (c *conform) copy(batch *stage.Batch) (*stage.Batch, error) {
	forms := map[string]stage.Form{"typed": stage.Typed, "raw": stage.Raw, "strings": stage.Strings}
	var columns []stage.Column
	var others, names []string
	for _, field := range batch.Schema() {
		names = append(names, field.Name)
		if field.Type == stage.Other {
			others = append(others, field.Name)
			continue
		}
		form := forms[c.Form]
		if form == stage.Strings && field.Type != stage.UTF8 {
			form = stage.Raw
		}
		column, err := batch.Column(field.Name, form)
		if err != nil {
			return nil, err
		}
		columns = append(columns, column)
	}
	copied, err := stage.NewBatchOf(batch.Rows(), columns...)
	if err != nil || len(others) == 0 {
		return copied, err
	}
	carried, err := batch.Select(others...)
	if err != nil {
		return nil, err
	}
	if copied, err = copied.Zip(carried); err != nil {
		return nil, err
	}
	return copied.Select(names...)
}

func (c *conform) ipc(batch *stage.Batch) (*stage.Batch, error) {
	stream, err := batch.ToIPC()
	if err != nil {
		return nil, err
	}
	return stage.FromIPC(stream)
}

func (c *conform) addOne(batch *stage.Batch) (*stage.Batch, error) {
	column, err := batch.Int64(c.Column)
	if err != nil {
		return nil, err
	}
	for row := range column.Values {
		column.Values[row]++
	}
	field, err := batch.Schema().Need(c.Column)
	if err != nil {
		return nil, err
	}
	return batch.With(column.Column(field))
}

func (c *conform) length(batch *stage.Batch) (*stage.Batch, error) {
	texts, err := batch.Text(c.Column)
	if err != nil {
		return nil, err
	}
	builder := stage.NewBuilder[int32](length, batch.Rows())
	for row := range batch.Rows() {
		if text, ok := texts.At(row); ok {
			builder.Append(int32(utf8.RuneCountInString(text)))
		} else {
			builder.AppendNull()
		}
	}
	return batch.With(builder.Column())
}

func (c *conform) filter(batch *stage.Batch) (*stage.Batch, error) {
	column, err := batch.Bool(c.Column)
	if err != nil {
		return nil, err
	}
	return batch.Filter(column.True())
}

func (c *conform) take(batch *stage.Batch) (*stage.Batch, error) {
	rows := make([]uint32, batch.Rows())
	for i := range rows {
		rows[i] = uint32(len(rows) - 1 - i)
	}
	return batch.Take(rows)
}

func (c *conform) slice(batch *stage.Batch) (*stage.Batch, error) {
	return batch.Slice(c.Offset, c.Rows)
}

func (c *conform) selected(batch *stage.Batch) (*stage.Batch, error) {
	picks := make([]stage.Pick, len(c.Columns))
	for i, pair := range c.Columns {
		picks[i] = stage.Pick{Name: pair[0], As: pair[1]}
	}
	return batch.SelectAs(picks...)
}

func (c *conform) concat(batch *stage.Batch) (*stage.Batch, error) {
	return stage.Concat(batch, batch)
}

func (c *conform) zip(batch *stage.Batch) (*stage.Batch, error) {
	var picks []stage.Pick
	for _, field := range batch.Schema() {
		picks = append(picks, stage.Pick{Name: field.Name, As: field.Name + "_2"})
	}
	again, err := batch.SelectAs(picks...)
	if err != nil {
		return nil, err
	}
	return batch.Zip(again)
}

func (c *conform) fault(batch *stage.Batch) (*stage.Batch, error) {
	if err := c.failIn("process"); err != nil {
		return nil, err
	}
	return batch, nil
}

// failIn is the fault that the options name for a call.
func (c *conform) failIn(call string) error {
	if c.Mode != "fault" || c.Call != call {
		return nil
	}
	kind, err := stage.ParseFaultKind(c.Kind)
	if err != nil {
		return err
	}
	return &stage.Fault{Kind: kind, Message: c.Message, Row: c.Row}
}

func (c *conform) crash(*stage.Batch) (*stage.Batch, error) { panic("told to crash") }

func (c *conform) badAnswer(batch *stage.Batch) (*stage.Batch, error) {
	numbers := stage.NumberColumn(stage.Nullable("n", stage.Int64), make([]int64, batch.Rows()))
	return stage.NewBatchOf(batch.Rows()+1, numbers)
}

func (c *conform) keep(batch *stage.Batch) (*stage.Batch, error) {
	c.kept = append(c.kept, batch.Keep())
	return nil, nil
}

func (c *conform) nothing(*stage.Batch) (*stage.Batch, error) { return nil, nil }

func (c *conform) contextRow(*stage.Batch) (*stage.Batch, error) {
	return stage.NewBatch(
		stage.TextColumn(contextSchema[0], []string{c.context.Pipeline}),
		stage.TextColumn(contextSchema[1], []string{c.context.Stage}),
		stage.NumberColumn(contextSchema[2], []int32{int32(c.context.Attempt)}),
		stage.TextColumn(contextSchema[3], []string{c.context.IntervalStart}),
		stage.TextColumn(contextSchema[4], []string{c.context.IntervalEnd}),
	)
}

func (c *conform) report(batch *stage.Batch) (*stage.Batch, error) {
	slog.Debug("debug line")
	slog.Info("info line")
	slog.Warn("warn line")
	slog.Error("error line")
	fmt.Println("printed line")
	stage.Count("seen", 3)
	stage.Count("seen", 4)
	stage.Quarantine(stage.BadRecord{Origin: "here:1", Content: "x,y", Reason: "not right"})
	return batch, nil
}
