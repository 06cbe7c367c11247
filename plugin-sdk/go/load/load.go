// Package load is for stages that take batches out of the pipeline, in two steps, so that the loads of a run show all or
// nothing.
//
//	func init() { load.Register(stage.Plugin{Name: "lines", Summary: "..."}, load.Loader[Options]{Open: open, ...}) }
package load

import (
	"errors"
	"io"

	"sluicebox.dev/stage"
	"sluicebox.dev/stage/internal/calls"
)

// Stage is an open load. One that is an io.Closer, too, is closed before Abort.
type Stage interface {
	Write(batch *stage.Batch) error
	// Prepare makes the data durable and unseen. It is called after the last batch, also when there was none. The receipt
	// says all that Commit needs to know.
	Prepare() (receipt string, err error)
}

// Loader is how a load begins and how it ends.
type Loader[O any] struct {
	// Open is also called to check a pipeline before it runs, so it changes nothing outside: make files in the first Write
	// or in Prepare. The load's id is the same whenever the same load is tried again, so that what an earlier try left can be
	// replaced; part tells instances of one load apart.
	Open func(context stage.Context, options O, input stage.Schema, loadID string, part int) (Stage, error)
	// Commit shows what was prepared. It may be called on a fresh instance, and again after it succeeded.
	Commit func(options O, loadID string, receipts []string) error
	// Abort takes back what was written or prepared, as far as it is there; it never touches what was committed. It may be
	// called on a fresh instance, with no receipts, and again.
	Abort func(options O, loadID string, receipts []string) error
}

// Register makes the program a load. Call it once, in init. O is a struct; its fields are the options.
func Register[O any](plugin stage.Plugin, how Loader[O]) {
	if how.Open == nil || how.Commit == nil || how.Abort == nil {
		panic("a load needs Open, Commit and Abort")
	}
	calls.Register[O](calls.Load, plugin)
	calls.TheLoader = &loader[O]{how: how}
}

type loader[O any] struct {
	how   Loader[O]
	stage Stage
}

func (l *loader[O]) Open(context stage.Context, config string, input stage.Schema, loadID string, part int) error {
	options, err := calls.Options[O](config)
	if err != nil {
		return err
	}
	l.stage, err = l.how.Open(context, options, input, loadID, part)
	return err
}

func (l *loader[O]) Write(batch *stage.Batch) error {
	if err := calls.Opened(l.stage != nil); err != nil {
		return err
	}
	return l.stage.Write(batch)
}

func (l *loader[O]) Prepare() (string, error) {
	if err := calls.Opened(l.stage != nil); err != nil {
		return "", err
	}
	return l.stage.Prepare()
}

func (l *loader[O]) Commit(config, loadID string, receipts []string) error {
	options, err := calls.Options[O](config)
	if err != nil {
		return err
	}
	return l.how.Commit(options, loadID, receipts)
}

func (l *loader[O]) Abort(config, loadID string, receipts []string) error {
	options, err := calls.Options[O](config)
	if err != nil {
		return err
	}
	closer, ok := l.stage.(io.Closer)
	if ok {
		err = closer.Close()
	}
	return errors.Join(err, l.how.Abort(options, loadID, receipts))
}
