package calls

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/host"
)

// Input is where a transform's batches come from.
type Input struct {
	// Name is that of the stage.
	Name   string
	Schema stage.Schema
}

// Transformer is a transform.
type Transformer interface {
	Open(context stage.Context, config string, inputs []Input) (stage.Schema, error)
	Process(input int, batch *stage.Batch) ([]host.Batch, error)
	Finish() (host.Batch, error)
}

// Page is what an extract gives.
type Page struct {
	Batch    host.Batch
	Bookmark *string
	Progress *float32
}

// Extractor is an extract.
type Extractor interface {
	Open(context stage.Context, config string, bookmark *string) (stage.Schema, error)
	Next() (*Page, error)
}

// Severity is what breaking a rule means for a row, numbered as in the contract.
type Severity uint8

// Rule is a rule of a validate; at most one of Rows and PerCent is set.
type Rule struct {
	Name, Summary string
	Severity      Severity
	Rows          *uint64
	PerCent       *float64
}

// Finding is the rows that break a rule.
type Finding struct {
	Rule int
	Rows stage.Mask
}

// Outcome is what a rule says of all the data.
type Outcome struct {
	Rule     int
	Holds    bool
	Observed string
}

// Validator is a validate.
type Validator interface {
	Open(context stage.Context, config string, input stage.Schema) ([]Rule, error)
	Check(batch *stage.Batch) ([]Finding, error)
	Finish() ([]Outcome, error)
}

// Loader is a load.
type Loader interface {
	Open(context stage.Context, config string, input stage.Schema, loadID string, part int) error
	Write(batch *stage.Batch) error
	Prepare() (string, error)
	Commit(config, loadID string, receipts []string) error
	Abort(config, loadID string, receipts []string) error
}

// What the component exports; the one of its kind is set.
var (
	TheTransformer Transformer
	TheExtractor   Extractor
	TheValidator   Validator
	TheLoader      Loader
)
