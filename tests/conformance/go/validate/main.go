// The validate of the conformance suite: what a stage can say, by mode.
package main

import (
	"fmt"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/validate"
)

// Options are the mode, and what belongs to some of the modes.
type Options struct {
	Mode    string `doc:"What is done." enum:"none,odd,nulls,severities,finish,fault,crash"`
	Column  string `doc:"odd: the column that is looked at." default:""`
	Rows    int    `doc:"finish: how many rows are enough." default:"0" min:"0"`
	Call    string `doc:"fault: the call that fails." enum:"open,check,finish" default:"check"`
	Kind    string `doc:"fault: its kind." default:"internal"`
	Message string `doc:"fault: its message." default:""`
	Row     *int   `doc:"fault: its row." min:"0"`
}

var severities = []validate.Rule{
	{Name: "warn", Summary: "rows 0, 3, 6, ... break it", Severity: validate.Warn, AtMost: validate.Rows(2)},
	{Name: "reject", Summary: "rows 1, 4, 7, ... break it", Severity: validate.Reject, AtMost: validate.PerCent(50)},
	{Name: "fail", Summary: "rows 2, 5, 8, ... break it", Severity: validate.Fail},
}

type conform struct {
	Options
	input stage.Schema
	seen  int
}

func init() {
	validate.Register(stage.Plugin{
		Name:    "conform-validate-go",
		Summary: "What a validate can say, for the conformance suite",
	}, open)
}

func main() {}

func open(_ stage.Context, options Options, input stage.Schema) (validate.Stage, []validate.Rule, error) {
	c := &conform{Options: options, input: input}
	if err := c.failIn("open"); err != nil {
		return nil, nil, err
	}
	switch options.Mode {
	case "nulls":
		rules := make([]validate.Rule, len(input))
		for i, field := range input {
			rules[i] = validate.Rule{Name: field.Name, Summary: field.Name + " has a value", Severity: validate.Reject}
		}
		return c, rules, nil
	case "odd":
		_, err := input.Need(options.Column, stage.Int64)
		return c, []validate.Rule{{Name: "even", Summary: options.Column + " is even", Severity: validate.Reject}}, err
	case "finish":
		summary := fmt.Sprintf("there are at least %d rows", options.Rows)
		return c, []validate.Rule{{Name: "enough", Summary: summary, Severity: validate.Warn}}, nil
	case "severities":
		return c, severities, nil
	default:
		return c, nil, nil
	}
}

func (c *conform) Check(batch *stage.Batch) ([]validate.Finding, error) {
	c.seen += batch.Rows()
	if err := c.failIn("check"); err != nil {
		return nil, err
	}
	switch c.Mode {
	case "crash":
		panic("told to crash")
	case "nulls":
		findings := make([]validate.Finding, len(c.input))
		for rule, field := range c.input {
			values, err := batch.Any(field.Name)
			if err != nil {
				return nil, err
			}
			nulls := stage.NewMask(batch.Rows())
			for row, value := range values {
				if value == nil {
					nulls.Set(row)
				}
			}
			findings[rule] = validate.Finding{Rule: rule, Rows: nulls}
		}
		return findings, nil
	case "odd":
		numbers, err := batch.Int64(c.Column)
		if err != nil {
			return nil, err
		}
		odd := stage.NewMask(batch.Rows())
		for row, n := range numbers.All() {
			if n%2 != 0 {
				odd.Set(row)
			}
		}
		return []validate.Finding{{Rule: 0, Rows: odd}}, nil
	case "severities":
		findings := make([]validate.Finding, len(severities))
		for rule := range findings {
			rows := stage.NewMask(batch.Rows())
			for row := rule; row < batch.Rows(); row += len(severities) {
				rows.Set(row)
			}
			findings[rule] = validate.Finding{Rule: rule, Rows: rows}
		}
		return findings, nil
	default:
		return nil, nil
	}
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

func (c *conform) Finish() ([]validate.Outcome, error) {
	if err := c.failIn("finish"); err != nil {
		return nil, err
	}
	if c.Mode != "finish" {
		return nil, nil
	}
	return []validate.Outcome{{Rule: 0, Holds: c.seen >= c.Rows, Observed: fmt.Sprintf("%d rows", c.seen)}}, nil
}
