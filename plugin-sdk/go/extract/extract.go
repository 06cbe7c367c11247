// Package extract is for stages that make batches from something outside.
//
//	func init() { extract.Register(stage.Plugin{Name: "numbers", Summary: "..."}, open) }
package extract

import (
	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
)

// Page is a batch that an extract made.
type Page struct {
	// Batch fits the schema that Open answered with.
	Batch *stage.Batch

	bookmark *string
	progress *float32
}

// NewPage is a page without bookmark or progress.
func NewPage(batch *stage.Batch) *Page { return &Page{Batch: batch} }

// Bookmark sets where to resume after this page; it is kept only once every load of the run has committed.
func (p *Page) Bookmark(bookmark string) *Page {
	p.bookmark = &bookmark
	return p
}

// Progress sets how much of the work is done, 0 to 1.
func (p *Page) Progress(progress float64) *Page {
	done := float32(progress)
	p.progress = &done
	return p
}

// Stage is an open extract.
type Stage interface {
	// Next is the next page, nil at the end. A page of 8,192 to 65,536 rows is a good size.
	Next() (*Page, error)
}

// Open opens the source and answers with the stage and the schema of every page. The bookmark is that of the last run that
// committed, nil where there is none. Open is also called to check a pipeline before it runs, so it changes nothing
// outside. O is a struct; its fields are the options.
type Open[O any] func(context stage.Context, options O, bookmark *string) (Stage, stage.Schema, error)

// Register makes the program an extract. Call it once, in init.
func Register[O any](plugin stage.Plugin, open Open[O]) {
	calls.Register[O](calls.Extract, plugin)
	calls.TheExtractor = &extractor[O]{open: open}
}

type extractor[O any] struct {
	open  Open[O]
	stage Stage
}

func (e *extractor[O]) Open(context stage.Context, config string, bookmark *string) (stage.Schema, error) {
	options, err := calls.Options[O](config)
	if err != nil {
		return nil, err
	}
	opened, schema, err := e.open(context, options, bookmark)
	e.stage = opened
	return schema, err
}

func (e *extractor[O]) Next() (*calls.Page, error) {
	if err := calls.Opened(e.stage != nil); err != nil {
		return nil, err
	}
	page, err := e.stage.Next()
	if err != nil || page == nil {
		return nil, err
	}
	handle, err := page.Batch.Give()
	return &calls.Page{Batch: handle, Bookmark: page.bookmark, Progress: page.progress}, err
}
