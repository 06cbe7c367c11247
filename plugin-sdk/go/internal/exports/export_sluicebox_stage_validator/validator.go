//go:build wasip1

// Package export_sluicebox_stage_validator answers the host's calls; its name is what wit-bindgen asks for.
package export_sluicebox_stage_validator

import (
	"sluicebox.dev/stage/internal/answer"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_batches"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_types"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_validator"
	"sluicebox.dev/stage/internal/wit/types"
)

type fault = sluicebox_stage_types.Fault

// Open answers `open`.
func Open(
	context sluicebox_stage_types.RunContext, config string, input []sluicebox_stage_types.Field,
) wit_types.Result[[]sluicebox_stage_validator.Rule, fault] {
	return answer.Call(func() ([]calls.Rule, error) {
		return calls.TheValidator.Open(answer.Context(context), config, answer.SchemaOf(input))
	}, func(rules []calls.Rule) []sluicebox_stage_validator.Rule {
		out := make([]sluicebox_stage_validator.Rule, len(rules))
		for i, rule := range rules {
			atMost := wit_types.None[sluicebox_stage_validator.Threshold]()
			if rule.Rows != nil {
				atMost = wit_types.Some(sluicebox_stage_validator.MakeThresholdRows(*rule.Rows))
			} else if rule.PerCent != nil {
				atMost = wit_types.Some(sluicebox_stage_validator.MakeThresholdPerCent(*rule.PerCent))
			}
			out[i] = sluicebox_stage_validator.Rule{
				Name: rule.Name, Summary: rule.Summary, Severity: uint8(rule.Severity), AtMost: atMost,
			}
		}
		return out
	})
}

// Check answers `check`.
func Check(
	batch *sluicebox_stage_batches.Batch,
) wit_types.Result[[]sluicebox_stage_validator.Finding, fault] {
	return answer.Call(func() ([]calls.Finding, error) {
		return calls.TheValidator.Check(answer.Batch(batch))
	}, func(findings []calls.Finding) []sluicebox_stage_validator.Finding {
		out := make([]sluicebox_stage_validator.Finding, len(findings))
		for i, finding := range findings {
			out[i] = sluicebox_stage_validator.Finding{Rule: uint32(finding.Rule), Rows: finding.Rows.Bytes()}
		}
		return out
	})
}

// Finish answers `finish`.
func Finish() wit_types.Result[[]sluicebox_stage_validator.Outcome, fault] {
	return answer.Call(calls.TheValidator.Finish, func(outcomes []calls.Outcome) []sluicebox_stage_validator.Outcome {
		out := make([]sluicebox_stage_validator.Outcome, len(outcomes))
		for i, outcome := range outcomes {
			out[i] = sluicebox_stage_validator.Outcome{
				Rule: uint32(outcome.Rule), Holds: outcome.Holds, Observed: outcome.Observed,
			}
		}
		return out
	})
}
