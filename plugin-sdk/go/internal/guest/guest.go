//go:build wasip1

// Package guest is the host as a component sees it, through what wit-bindgen made.
package guest

import (
	"unsafe"

	"sluicebox.dev/stage/internal/host"
	"sluicebox.dev/stage/internal/wit/runtime"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_batches"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_report"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_types"
	"sluicebox.dev/stage/internal/wit/types"
)

// Batch is a handle that was taken out of the generated one, so that no finalizer drops it at a time of its own choice.
type Batch struct{ handle int32 }

// Own is the batch of a generated one, which is not to be used afterwards.
func Own(batch *sluicebox_stage_batches.Batch) *Batch { return &Batch{batch.TakeHandle()} }

// Cross is the generated batch, owned.
func Cross(batch host.Batch) *sluicebox_stage_batches.Batch {
	return sluicebox_stage_batches.BatchFromOwnHandle(batch.(*Batch).handle)
}

// borrowed is the generated batch for one call; it drops nothing.
func (b *Batch) borrowed() *sluicebox_stage_batches.Batch {
	return sluicebox_stage_batches.BatchFromBorrowHandle(b.handle)
}

// Fault is a fault as it came.
func Fault(fault sluicebox_stage_types.Fault) *host.Fault {
	out := &host.Fault{Kind: fault.Kind, Message: fault.Message}
	if fault.Row.IsSome() {
		row := fault.Row.Some()
		out.Row = &row
	}
	return out
}

// CrossFault is a fault as it goes.
func CrossFault(fault *host.Fault) sluicebox_stage_types.Fault {
	out := sluicebox_stage_types.Fault{Kind: fault.Kind, Message: fault.Message, Row: wit_types.None[uint32]()}
	if fault.Row != nil {
		out.Row = wit_types.Some(*fault.Row)
	}
	return out
}

// Option is a value that may be missing.
func Option[T any](value *T) wit_types.Option[T] {
	if value == nil {
		return wit_types.None[T]()
	}
	return wit_types.Some(*value)
}

// Pointer is the same, the other way round.
func Pointer[T any](option wit_types.Option[T]) *T {
	if option.IsNone() {
		return nil
	}
	value := option.Some()
	return &value
}

// Schema is a schema as it came.
func Schema(fields []sluicebox_stage_types.Field) []host.Field {
	out := make([]host.Field, len(fields))
	for i, field := range fields {
		out[i] = host.Field{Name: field.Name, Type: field.DataType, Nullable: field.Nullable, Detail: Pointer(field.Detail)}
	}
	return out
}

// CrossSchema is a schema as it goes.
func CrossSchema(fields []host.Field) []sluicebox_stage_types.Field {
	out := make([]sluicebox_stage_types.Field, len(fields))
	for i, field := range fields {
		out[i] = sluicebox_stage_types.Field{
			Name: field.Name, DataType: field.Type, Nullable: field.Nullable, Detail: Option(field.Detail),
		}
	}
	return out
}

func batch(result wit_types.Result[*sluicebox_stage_batches.Batch, sluicebox_stage_types.Fault]) (host.Batch, *host.Fault) {
	if result.IsErr() {
		return nil, Fault(result.Err())
	}
	return Own(result.Ok()), nil
}

// Schema asks the host.
func (b *Batch) Schema() []host.Field { return Schema(b.borrowed().Schema()) }

// Rows asks the host.
func (b *Batch) Rows() uint32 { return b.borrowed().Rows() }

// Column asks the host.
func (b *Batch) Column(index uint32, form host.Form) (host.Column, *host.Fault) {
	result := b.borrowed().Column(index, uint8(form))
	if result.IsErr() {
		return host.Column{}, Fault(result.Err())
	}
	return column(result.Ok()), nil
}

// ToIPC asks the host.
func (b *Batch) ToIPC(columns []uint32) ([]byte, *host.Fault) {
	result := b.borrowed().ToIpc(columns)
	if result.IsErr() {
		return nil, Fault(result.Err())
	}
	return result.Ok(), nil
}

// Filter asks the host.
func (b *Batch) Filter(mask []byte) (host.Batch, *host.Fault) {
	return batch(b.borrowed().Filter(mask))
}

// Take asks the host.
func (b *Batch) Take(rows []uint32) (host.Batch, *host.Fault) { return batch(b.borrowed().Take(rows)) }

// Slice asks the host.
func (b *Batch) Slice(offset, rows uint32) (host.Batch, *host.Fault) {
	return batch(b.borrowed().Slice(offset, rows))
}

// Select asks the host.
func (b *Batch) Select(columns []host.Pick) (host.Batch, *host.Fault) {
	picks := make([]wit_types.Tuple2[uint32, string], len(columns))
	for i, column := range columns {
		picks[i] = wit_types.Tuple2[uint32, string]{F0: column.Index, F1: column.Name}
	}
	return batch(b.borrowed().Select(picks))
}

// With asks the host.
func (b *Batch) With(schema []host.Field, columns []host.Column) (host.Batch, *host.Fault) {
	return batch(b.borrowed().WithColumns(CrossSchema(schema), crossColumns(columns)))
}

// Zip asks the host.
func (b *Batch) Zip(other host.Batch) (host.Batch, *host.Fault) {
	return batch(b.borrowed().Zip(other.(*Batch).borrowed()))
}

// Drop lets go of the handle.
func (b *Batch) Drop() {
	Cross(b).Drop()
	b.handle = 0
}

type guest struct{}

func (guest) FromColumns(schema []host.Field, rows uint32, columns []host.Column) (host.Batch, *host.Fault) {
	return batch(sluicebox_stage_batches.BatchFromColumns(CrossSchema(schema), rows, crossColumns(columns)))
}

func (guest) FromIPC(data []byte) (host.Batch, *host.Fault) {
	return batch(sluicebox_stage_batches.BatchFromIpc(data))
}

func (guest) Concat(parts []host.Batch) (host.Batch, *host.Fault) {
	borrowed := make([]*sluicebox_stage_batches.Batch, len(parts))
	for i, part := range parts {
		borrowed[i] = part.(*Batch).borrowed()
	}
	return batch(sluicebox_stage_batches.Concat(borrowed))
}

func (guest) Log(level uint8, message string) { sluicebox_stage_report.Log(level, message) }

func (guest) Count(name string, by uint64) { sluicebox_stage_report.Count(name, by) }

func (guest) Quarantine(records []host.BadRecord) {
	out := make([]sluicebox_stage_report.BadRecord, len(records))
	for i, record := range records {
		out[i] = sluicebox_stage_report.BadRecord{Origin: record.Origin, Content: record.Content, Reason: record.Reason}
	}
	sluicebox_stage_report.Quarantine(out)
}

func (guest) Breathe(ended bool) {
	if ended {
		runtime.Collect()
	} else {
		runtime.Asked()
	}
}

func init() { host.Current = guest{} }

// see looks at memory as values of another type; what the host hands over is aligned to 8 bytes.
func see[To, From any](from []From) []To {
	var to To
	var unit From
	bytes := len(from) * int(unsafe.Sizeof(unit))
	return unsafe.Slice((*To)(unsafe.Pointer(unsafe.SliceData(from))), bytes/int(unsafe.Sizeof(to)))
}
