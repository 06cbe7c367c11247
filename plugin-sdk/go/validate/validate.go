// Package validate is for stages that find the rows that break rules; the host judges.
//
//	func init() { validate.Register(stage.Plugin{Name: "known", Summary: "..."}, open) }
package validate

import (
	"fmt"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
)

// Severity is what breaking a rule means for a row.
type Severity uint8

const (
	// Warn: told in the outcome; the row goes on.
	Warn Severity = iota
	// Reject: the row goes to quarantine.
	Reject
	// Fail: the run fails.
	Fail
)

// ParseSeverity is the severity of a name: warn, reject or fail.
func ParseSeverity(name string) (Severity, error) {
	switch name {
	case "warn":
		return Warn, nil
	case "reject":
		return Reject, nil
	case "fail":
		return Fail, nil
	default:
		return 0, stage.InvalidConfig("%q is no severity; it is warn, reject or fail", name)
	}
}

// Threshold bounds the rows that may break a rule. The zero Threshold is no bound (warn, reject), or no row at all (fail).
type Threshold struct {
	rows    *uint64
	perCent *float64
}

// Rows is a bound in rows.
func Rows(rows uint64) Threshold { return Threshold{rows: &rows} }

// PerCent is a bound in per cent of the rows seen, 0 to 100.
func PerCent(share float64) Threshold { return Threshold{perCent: &share} }

// Rule is what is checked.
type Rule struct {
	// Name is unique within the stage.
	Name string
	// Summary is for people, e.g. "dep_delay is not null".
	Summary  string
	Severity Severity
	// AtMost: more rows than this fail the run (reject, fail) or are told (warn).
	AtMost Threshold
}

// Finding is the rows that break a rule: Rule is its position in the list of rules, Rows a mask of the batch's rows.
type Finding = calls.Finding

// Outcome is what a rule says of all the data: Rule is its position, Holds whether it does, Observed what was seen, for
// people.
type Outcome = calls.Outcome

// Stage is an open validate.
type Stage interface {
	// Check answers with the rows that rules are broken by; a rule that no row breaks may be left out.
	Check(batch *stage.Batch) ([]Finding, error)
}

// Finisher is a Stage with rules that speak of all the data. One that does not hold and is of severity Fail or Reject fails
// the run.
type Finisher interface {
	Finish() ([]Outcome, error)
}

// Open answers with the stage and its rules. It is also called without data, to check a pipeline before it runs. O is a
// struct; its fields are the options.
type Open[O any] func(context stage.Context, options O, input stage.Schema) (Stage, []Rule, error)

// Register makes the program a validate. Call it once, in init.
func Register[O any](plugin stage.Plugin, open Open[O]) {
	calls.Register[O](calls.Validate, plugin)
	calls.TheValidator = &validator[O]{open: open}
}

type validator[O any] struct {
	open  Open[O]
	stage Stage
	rules int
}

func (v *validator[O]) Open(context stage.Context, config string, input stage.Schema) ([]calls.Rule, error) {
	options, err := calls.Options[O](config)
	if err != nil {
		return nil, err
	}
	opened, rules, err := v.open(context, options, input)
	v.stage, v.rules = opened, len(rules)
	out := make([]calls.Rule, len(rules))
	for i, rule := range rules {
		out[i] = calls.Rule{
			Name: rule.Name, Summary: rule.Summary, Severity: calls.Severity(rule.Severity),
			Rows: rule.AtMost.rows, PerCent: rule.AtMost.perCent,
		}
	}
	return out, err
}

func (v *validator[O]) Check(batch *stage.Batch) ([]Finding, error) {
	if err := calls.Opened(v.stage != nil); err != nil {
		return nil, err
	}
	rows := batch.Rows()
	findings, err := v.stage.Check(batch)
	if err != nil {
		return nil, err
	}
	for _, finding := range findings {
		if err := v.known(finding.Rule); err != nil {
			return nil, err
		}
		if finding.Rows.Rows() != rows {
			return nil, stage.Internal("a finding is of %d rows, the batch of %d", finding.Rows.Rows(), rows)
		}
	}
	return findings, nil
}

func (v *validator[O]) Finish() ([]Outcome, error) {
	if err := calls.Opened(v.stage != nil); err != nil {
		return nil, err
	}
	finisher, ok := v.stage.(Finisher)
	if !ok {
		return nil, nil
	}
	outcomes, err := finisher.Finish()
	for _, outcome := range outcomes {
		if err == nil {
			err = v.known(outcome.Rule)
		}
	}
	return outcomes, err
}

func (v *validator[O]) known(rule int) error {
	if rule < 0 || rule >= v.rules {
		return fmt.Errorf("there is no rule %d; there are %d, counted from 0", rule, v.rules)
	}
	return nil
}
