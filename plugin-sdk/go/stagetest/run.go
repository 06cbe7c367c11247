package stagetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
	"sluicebox.dev/stage/internal/host"
	"sluicebox.dev/stage/internal/memory"
)

// Context is the context that stages are opened with here.
var Context = stage.Context{
	RunID: "00000000-0000-7000-8000-000000000000", Pipeline: "test", Stage: "stage", Attempt: 1,
	IntervalStart: "2026-01-01T00:00:00Z", IntervalEnd: "2026-01-02T00:00:00Z",
}

// Options as JSON: text as it is, anything else marshalled.
func config(t testing.TB, options any) string {
	t.Helper()
	switch options := options.(type) {
	case nil:
		return "{}"
	case string:
		return options
	}
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// call makes a call as the host would: a panic is a fault, and what was got in the call is released.
func call[T any](run func() (T, error)) (T, error) {
	answer, fault := calls.Run(run)
	return answer, stage.Refused(fault)
}

func nothing(run func() error) error {
	_, err := call(func() (struct{}, error) { return struct{}{}, run() })
	return err
}

// lent is a new handle of a batch, for a call to use up.
func lent(t testing.TB, batch *stage.Batch) host.Batch {
	t.Helper()
	slice, err := batch.Slice(0, batch.Rows())
	if err != nil {
		t.Fatal(err)
	}
	handle, err := slice.Give()
	if err != nil {
		t.Fatal(err)
	}
	return handle
}

func taken(handle host.Batch, schema stage.Schema) (*stage.Batch, error) {
	batch := stage.Adopt(handle).Keep()
	if !slices.Equal(batch.Schema(), schema) {
		return nil, stage.Internal("the batch has %s; open promised %s", batch.Schema(), schema)
	}
	return batch, nil
}

func registered(t testing.TB, kind calls.Kind) {
	t.Helper()
	if calls.Registered == nil || calls.Registered.Kind != kind {
		t.Fatal("the package under test registers no stage of this kind in init")
	}
	if text := calls.Registered.ConfigSchema(); !json.Valid([]byte(text)) {
		t.Fatalf("the schema of the options is no JSON: %s", text)
	}
}

// Input is a transform's input: its batches, and their schema where there are none.
type Input struct {
	Name    string
	Schema  stage.Schema
	Batches []*stage.Batch
}

// Transform runs the transform of the package under test on the batches of one input and answers with what came out,
// that of finish included.
func Transform(t testing.TB, options any, batches ...*stage.Batch) ([]*stage.Batch, error) {
	t.Helper()
	return TransformInputs(t, options, Input{Name: "input", Batches: batches})
}

// TransformInputs is the same for several inputs: all but the first are delivered before the first.
func TransformInputs(t testing.TB, options any, inputs ...Input) ([]*stage.Batch, error) {
	t.Helper()
	registered(t, calls.Transform)
	list := make([]calls.Input, len(inputs))
	for i, input := range inputs {
		list[i] = calls.Input{Name: input.Name, Schema: input.Schema}
		if len(input.Batches) > 0 {
			list[i].Schema = input.Batches[0].Schema()
		}
	}
	text := config(t, options)
	schema, err := call(func() (stage.Schema, error) { return calls.TheTransformer.Open(Context, text, list) })
	if err != nil {
		return nil, err
	}
	var out []*stage.Batch
	order := make([]int, 0, len(inputs))
	for i := 1; i < len(inputs); i++ {
		order = append(order, i)
	}
	for _, i := range append(order, 0)[:len(inputs)] {
		for _, batch := range inputs[i].Batches {
			handles, err := call(func() ([]host.Batch, error) {
				return calls.TheTransformer.Process(i, stage.Adopt(lent(t, batch)))
			})
			if err != nil {
				return out, err
			}
			for _, handle := range handles {
				batch, err := taken(handle, schema)
				if err != nil {
					return out, err
				}
				out = append(out, batch)
			}
		}
	}
	for {
		handle, err := call(calls.TheTransformer.Finish)
		if err != nil || handle == nil {
			return out, err
		}
		batch, err := taken(handle, schema)
		if err != nil {
			return out, err
		}
		out = append(out, batch)
	}
}

// Page is what an extract gave.
type Page struct {
	Batch *stage.Batch
	// Bookmark and Progress are nil where the page had none.
	Bookmark *string
	Progress *float32
}

// Extract runs the extract of the package under test; the bookmark is nil or that of an earlier run.
func Extract(t testing.TB, options any, bookmark *string) ([]Page, error) {
	t.Helper()
	registered(t, calls.Extract)
	text := config(t, options)
	schema, err := call(func() (stage.Schema, error) { return calls.TheExtractor.Open(Context, text, bookmark) })
	if err != nil {
		return nil, err
	}
	var out []Page
	for {
		page, err := call(calls.TheExtractor.Next)
		if err != nil || page == nil {
			return out, err
		}
		batch, err := taken(page.Batch, schema)
		if err != nil {
			return out, err
		}
		out = append(out, Page{batch, page.Bookmark, page.Progress})
	}
}

// Verdict is what a validate said.
type Verdict struct {
	// Rules are "NAME: SUMMARY (SEVERITY)", with ", at most ..." where there is a bound.
	Rules []string
	// Broken are the rows that break a rule, by its name, counted over all batches.
	Broken map[string][]int
	// Outcomes are "NAME holds: OBSERVED" or "NAME does not hold: OBSERVED".
	Outcomes []string
}

// Validate runs the validate of the package under test. The schema is that of the first batch.
func Validate(t testing.TB, options any, batches ...*stage.Batch) (Verdict, error) {
	t.Helper()
	if len(batches) == 0 {
		t.Fatal("Validate needs a batch, for its schema; it may be without rows")
	}
	registered(t, calls.Validate)
	text := config(t, options)
	out := Verdict{Broken: map[string][]int{}}
	rules, err := call(func() ([]calls.Rule, error) {
		return calls.TheValidator.Open(Context, text, batches[0].Schema())
	})
	if err != nil {
		return out, err
	}
	for _, rule := range rules {
		shown := fmt.Sprintf("%s: %s (%s", rule.Name, rule.Summary, [...]string{"warn", "reject", "fail"}[rule.Severity])
		if rule.Rows != nil {
			shown += fmt.Sprintf(", at most %d rows", *rule.Rows)
		} else if rule.PerCent != nil {
			shown += fmt.Sprintf(", at most %v %%", *rule.PerCent)
		}
		out.Rules = append(out.Rules, shown+")")
	}
	start := 0
	for _, batch := range batches {
		findings, err := call(func() ([]calls.Finding, error) {
			return calls.TheValidator.Check(stage.Adopt(lent(t, batch)))
		})
		if err != nil {
			return out, err
		}
		for _, finding := range findings {
			name := rules[finding.Rule].Name
			for row := range finding.Rows.Rows() {
				if finding.Rows.Has(row) {
					out.Broken[name] = append(out.Broken[name], start+row)
				}
			}
		}
		start += batch.Rows()
	}
	outcomes, err := call(calls.TheValidator.Finish)
	for _, outcome := range outcomes {
		word := "holds"
		if !outcome.Holds {
			word = "does not hold"
		}
		out.Outcomes = append(out.Outcomes, fmt.Sprintf("%s %s: %s", rules[outcome.Rule].Name, word, outcome.Observed))
	}
	return out, err
}

// LoadID is the id of the load that Load, Commit and Abort speak of.
const LoadID = "test-2026-01-01T00:00:00Z-stage"

// Load opens the load of the package under test, writes the batches and prepares; it answers with the receipt. The schema
// is that of the first batch.
func Load(t testing.TB, options any, batches ...*stage.Batch) (receipt string, err error) {
	t.Helper()
	if len(batches) == 0 {
		t.Fatal("Load needs a batch, for its schema; it may be without rows")
	}
	registered(t, calls.Load)
	text := config(t, options)
	err = nothing(func() error { return calls.TheLoader.Open(Context, text, batches[0].Schema(), LoadID, 0) })
	for _, batch := range batches {
		if err == nil {
			err = nothing(func() error { return calls.TheLoader.Write(stage.Adopt(lent(t, batch))) })
		}
	}
	if err != nil {
		return "", err
	}
	return call(calls.TheLoader.Prepare)
}

// Commit commits.
func Commit(t testing.TB, options any, receipts ...string) error {
	t.Helper()
	return nothing(func() error { return calls.TheLoader.Commit(config(t, options), LoadID, receipts) })
}

// Abort aborts.
func Abort(t testing.TB, options any, receipts ...string) error {
	t.Helper()
	return nothing(func() error { return calls.TheLoader.Abort(config(t, options), LoadID, receipts) })
}

// Reports is what stages told their run.
type Reports struct {
	// Logged are lines of the log, e.g. "info: done".
	Logged []string
	// Counted are the counters.
	Counted map[string]uint64
	// Quarantined are the records that were set aside.
	Quarantined []stage.BadRecord
}

// TakeReports is what was reported since it was called last.
func TakeReports() Reports {
	out := Reports{Logged: memory.Current.Logged, Counted: memory.Current.Counted}
	for _, record := range memory.Current.Quarantined {
		out.Quarantined = append(out.Quarantined, stage.BadRecord(record))
	}
	memory.Current.Reset()
	return out
}

// ConfigSchema is the JSON Schema of the options of the package under test.
func ConfigSchema() string { return calls.Registered.ConfigSchema() }
