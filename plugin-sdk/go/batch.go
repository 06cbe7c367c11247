package stage

import (
	"errors"
	"math"
	"slices"

	"sluicebox.dev/stage/internal/host"
)

// Batch is a handle of a record batch that the host holds. Read only the columns that you need: each is copied in. Filter,
// Take, Slice, Select, Zip and Concat are done by the host and cost next to nothing here.
//
// A batch lives until the call in which it was got ends, unless it is kept (Keep) or given to the host as an answer.
type Batch struct {
	handle host.Batch
	schema Schema
	rows   int
	kept   bool
}

// ErrReleased is what a batch answers that was given away, closed, or got in an earlier call without being kept.
var ErrReleased = errors.New("the batch was released: it was given away or closed, or its call has ended; Keep it to have it longer")

// Handles that were got in the call that is under way and are neither kept nor given away yet.
var live []*Batch

// Adopt is for the SDK's own packages: a batch of the call that is under way.
func Adopt(handle host.Batch) *Batch {
	batch := &Batch{handle: handle, rows: -1}
	live = append(live, batch)
	return batch
}

func adopted(handle host.Batch, fault *host.Fault) (*Batch, error) {
	host.Current.Breathe(false)
	if fault != nil {
		return nil, Refused(fault)
	}
	return Adopt(handle), nil
}

// Give is for the SDK's own packages: the handle, which from then on belongs to the host.
func (b *Batch) Give() (host.Batch, error) {
	if b == nil {
		return nil, Internal("the answer holds a batch that is nil")
	}
	if b.handle == nil {
		return nil, ErrReleased
	}
	handle := b.handle
	b.handle = nil
	return handle, nil
}

// EndCall is for the SDK's own packages: releases what was got in the call and not kept.
func EndCall() {
	for i, batch := range live {
		if !batch.kept {
			batch.Close()
		}
		live[i] = nil
	}
	live = live[:0]
	if cap(live) > 4096 {
		live = nil
	}
	host.Current.Breathe(true)
}

// Keep keeps the batch beyond the call that it was got in, until it is given away or closed. What is kept counts against
// the bytes that the stage may hold. It answers with the batch itself.
func (b *Batch) Keep() *Batch {
	b.kept = true
	return b
}

// Close releases the batch before its call ends; closing it again does nothing.
func (b *Batch) Close() {
	if b.handle != nil {
		b.handle.Drop()
		b.handle = nil
	}
}

// held is the handle. What is asked of a released batch is a mistake in the stage: it panics, which ends the call with a
// fault that has the stack.
func (b *Batch) held() host.Batch {
	if b.handle == nil {
		panic(&Fault{Kind: KindInternal, Message: ErrReleased.Error(), Err: ErrReleased})
	}
	return b.handle
}

// Schema is the columns; not to be changed.
func (b *Batch) Schema() Schema {
	if b.schema == nil {
		b.schema = SchemaOf(b.held().Schema())
	}
	return b.schema
}

// Rows is how many rows there are.
func (b *Batch) Rows() int {
	if b.rows < 0 {
		b.rows = int(b.held().Rows())
	}
	return b.rows
}

// Form is how the values of a column cross from the host; it changes nothing but the speed. The typed ways to read a
// column (Numbers, Text, ...) use Raw, which is the quickest in Go.
type Form uint8

// The forms. Strings is for utf8 alone.
const (
	Typed Form = iota
	Raw
	Strings
)

// Column copies a column's buffers in, whatever its type (but not Other).
func (b *Batch) Column(name string, form Form) (Column, error) {
	field, err := b.Schema().Need(name)
	if err != nil {
		return Column{}, err
	}
	crossed, fault := b.held().Column(uint32(b.Schema().Index(name)), host.Form(form))
	host.Current.Breathe(false)
	if fault != nil {
		return Column{}, Refused(fault)
	}
	return Column{Field: field, rows: b.Rows(), crossed: crossed}, nil
}

func (b *Batch) need(name string, types ...DataType) (Column, error) {
	if _, err := b.Schema().Need(name, types...); err != nil {
		return Column{}, err
	}
	return b.Column(name, Raw)
}

// NewBatch makes a batch of new columns, which all have the same number of rows.
func NewBatch(columns ...Column) (*Batch, error) {
	rows := 0
	if len(columns) > 0 {
		rows = columns[0].rows
	}
	return NewBatchOf(rows, columns...)
}

// NewBatchOf is NewBatch for a batch that may be without columns: it says how many rows there are.
func NewBatchOf(rows int, columns ...Column) (*Batch, error) {
	count, err := rowCount(rows)
	if err != nil {
		return nil, err
	}
	schema, crossed, err := cross(columns)
	if err != nil {
		return nil, err
	}
	return adopted(host.Current.FromColumns(schema, count, crossed))
}

func cross(columns []Column) ([]host.Field, []host.Column, error) {
	schema, crossed := make([]host.Field, len(columns)), make([]host.Column, len(columns))
	for i, column := range columns {
		if column.err != nil {
			return nil, nil, column.err
		}
		schema[i], crossed[i] = column.Field.cross(), column.crossed
	}
	return schema, crossed, nil
}

func rowCount(rows int) (uint32, error) {
	if rows < 0 || rows > math.MaxUint32 {
		return 0, Internal("a batch cannot have %d rows", rows)
	}
	return uint32(rows), nil
}

// FromIPC makes a batch from one Arrow IPC stream that holds exactly one record batch, uncompressed: for types that columns
// do not carry.
func FromIPC(data []byte) (*Batch, error) { return adopted(host.Current.FromIPC(data)) }

// ToIPC copies columns (all, where none is named) in as one Arrow IPC stream with one record batch.
func (b *Batch) ToIPC(names ...string) ([]byte, error) {
	if len(names) == 0 {
		for _, field := range b.Schema() {
			names = append(names, field.Name)
		}
	}
	picks, err := b.picks(names)
	if err != nil {
		return nil, err
	}
	indices := make([]uint32, len(picks))
	for i, pick := range picks {
		indices[i] = pick.Index
	}
	data, fault := b.held().ToIPC(indices)
	host.Current.Breathe(false)
	return data, Refused(fault)
}

// Filter is the rows whose bit in the mask is set.
func (b *Batch) Filter(mask Mask) (*Batch, error) {
	if mask.rows != b.Rows() {
		return nil, Internal("the mask is of %d rows, the batch of %d", mask.rows, b.Rows())
	}
	return adopted(b.held().Filter(mask.bits))
}

// Take is the rows at these positions, in this order; a position may stand more than once.
func (b *Batch) Take(rows []uint32) (*Batch, error) { return adopted(b.held().Take(rows)) }

// Slice is `rows` rows from offset on; refused where they pass the end.
func (b *Batch) Slice(offset, rows int) (*Batch, error) {
	from, err := rowCount(offset)
	if err != nil {
		return nil, err
	}
	count, err := rowCount(rows)
	if err != nil {
		return nil, err
	}
	return adopted(b.held().Slice(from, count))
}

// Pick is a column and its new name.
type Pick struct{ Name, As string }

// Select is these columns, in this order.
func (b *Batch) Select(names ...string) (*Batch, error) {
	picks, err := b.picks(names)
	if err != nil {
		return nil, err
	}
	return adopted(b.held().Select(picks))
}

// SelectAs is these columns, in this order, under new names.
func (b *Batch) SelectAs(columns ...Pick) (*Batch, error) {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	picks, err := b.picks(names)
	if err != nil {
		return nil, err
	}
	for i, column := range columns {
		picks[i].Name = column.As
	}
	return adopted(b.held().Select(picks))
}

func (b *Batch) picks(names []string) ([]host.Pick, error) {
	picks := make([]host.Pick, len(names))
	for i, name := range names {
		if _, err := b.Schema().Need(name); err != nil {
			return nil, err
		}
		picks[i] = host.Pick{Index: uint32(b.Schema().Index(name)), Name: name}
	}
	return picks, nil
}

// With is the batch with these columns behind, or in place of columns of the same name.
func (b *Batch) With(columns ...Column) (*Batch, error) {
	schema, crossed, err := cross(columns)
	if err != nil {
		return nil, err
	}
	return adopted(b.held().With(schema, crossed))
}

// Zip is the columns of the other batch (same number of rows, other names) after these.
func (b *Batch) Zip(other *Batch) (*Batch, error) {
	return adopted(b.held().Zip(other.held()))
}

// Concat is the rows of the batches, which share a schema, one after another; at least one batch.
func Concat(batches ...*Batch) (*Batch, error) {
	parts := make([]host.Batch, len(batches))
	for i, batch := range batches {
		parts[i] = batch.held()
	}
	return adopted(host.Current.Concat(parts))
}

// Drop leaves out these columns.
func (b *Batch) Drop(names ...string) (*Batch, error) {
	if _, err := b.picks(names); err != nil {
		return nil, err
	}
	var left []string
	for _, field := range b.Schema() {
		if !slices.Contains(names, field.Name) {
			left = append(left, field.Name)
		}
	}
	return b.Select(left...)
}
