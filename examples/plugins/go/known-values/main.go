// Checks that a column of text holds known values only.
package main

import (
	"fmt"
	"strings"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/validate"
)

// Options are what is known.
type Options struct {
	Column   string   `doc:"The text column that is looked at; nulls are let through."`
	Values   []string `doc:"The values that it may have." min:"1"`
	Severity string   `doc:"What another value means for its row." enum:"warn,reject,fail" default:"reject"`
	AtMost   *uint64  `doc:"More rows with other values than this fail the run."`
}

// The rules, by their positions.
const (
	knownRule = iota
	anyRows
)

type knownValues struct {
	column string
	known  map[string]bool
	rows   int
}

func init() {
	validate.Register(stage.Plugin{
		Name:    "known-values-go",
		Summary: "Checks that a column of text holds known values only",
	}, open)
}

func main() {}

func open(_ stage.Context, options Options, input stage.Schema) (validate.Stage, []validate.Rule, error) {
	if _, err := input.Need(options.Column, stage.UTF8); err != nil {
		return nil, nil, err
	}
	severity, err := validate.ParseSeverity(options.Severity)
	if err != nil {
		return nil, nil, err
	}
	rule := validate.Rule{
		Name:     "known-values",
		Summary:  fmt.Sprintf("%s is one of %s", options.Column, strings.Join(options.Values, ", ")),
		Severity: severity,
	}
	if options.AtMost != nil {
		rule.AtMost = validate.Rows(*options.AtMost)
	}
	known := make(map[string]bool, len(options.Values))
	for _, value := range options.Values {
		known[value] = true
	}
	any := validate.Rule{Name: "any-rows", Summary: "there are rows", Severity: validate.Fail}
	return &knownValues{column: options.Column, known: known}, []validate.Rule{rule, any}, nil
}

func (s *knownValues) Check(batch *stage.Batch) ([]validate.Finding, error) {
	s.rows += batch.Rows()
	column, err := batch.Text(s.column)
	if err != nil {
		return nil, err
	}
	unknown := stage.NewMask(batch.Rows())
	for row, text := range column.All() {
		if !s.known[text] {
			unknown.Set(row)
		}
	}
	return []validate.Finding{{Rule: knownRule, Rows: unknown}}, nil
}

func (s *knownValues) Finish() ([]validate.Outcome, error) {
	return []validate.Outcome{{Rule: anyRows, Holds: s.rows > 0, Observed: fmt.Sprintf("%d rows", s.rows)}}, nil
}
