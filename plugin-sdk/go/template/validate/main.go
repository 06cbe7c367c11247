// Finds the rows whose number is out of bounds.
package main

import (
	"fmt"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/validate"
)

// Options are what is checked.
type Options struct {
	Column   string  `doc:"The column that is looked at; nulls are let through."`
	Low      float64 `doc:"The least that it may be."`
	High     float64 `doc:"The most that it may be."`
	Severity string  `doc:"What breaking the rule means for a row." enum:"warn,reject,fail" default:"reject"`
}

// The rules, by their positions.
const (
	bounds = iota
	anyRows
)

type checker struct {
	Options
	rows int
}

func init() {
	validate.Register(stage.Plugin{
		Name:    "{{name}}",
		Summary: "Finds the rows whose number is out of bounds",
	}, open)
}

func main() {}

// open is called once, also to check a pipeline: find here what does not fit, and answer with the rules.
func open(_ stage.Context, options Options, input stage.Schema) (validate.Stage, []validate.Rule, error) {
	if _, err := input.Need(options.Column, stage.NumberTypes()...); err != nil {
		return nil, nil, err
	}
	if options.Low > options.High {
		return nil, nil, stage.InvalidConfig("low is %g, which is more than high, %g", options.Low, options.High)
	}
	severity, err := validate.ParseSeverity(options.Severity)
	summary := fmt.Sprintf("%s is from %g to %g", options.Column, options.Low, options.High)
	return &checker{Options: options}, []validate.Rule{
		bounds:  {Name: "bounds", Summary: summary, Severity: severity},
		anyRows: {Name: "any-rows", Summary: "there are rows", Severity: validate.Warn},
	}, err
}

// Check is called for each batch; the host sets aside the rows that are found, or fails the run, as the rule says.
func (c *checker) Check(batch *stage.Batch) ([]validate.Finding, error) {
	c.rows += batch.Rows()
	column, err := batch.AsFloat64(c.Column)
	if err != nil {
		return nil, err
	}
	outside := stage.NewMask(batch.Rows())
	for row, value := range column.All() {
		if value < c.Low || value > c.High {
			outside.Set(row)
		}
	}
	return []validate.Finding{{Rule: bounds, Rows: outside}}, nil
}

// Finish is called once in the end, for rules that speak of all the data.
func (c *checker) Finish() ([]validate.Outcome, error) {
	return []validate.Outcome{{Rule: anyRows, Holds: c.rows > 0, Observed: fmt.Sprintf("%d rows", c.rows)}}, nil
}
