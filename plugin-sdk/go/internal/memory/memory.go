// Package memory stands in for the host where there is none: batches in memory, held to the rules that the host holds them to,
// and a record of what was reported. Arrow IPC streams are a form of its own here.
package memory

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"slices"
	"sync"

	"sluicebox.dev/stage/internal/host"
)

// The types that need naming here, numbered as in the contract.
const (
	boolean    = 0
	utf8       = 11
	blob       = 12
	date32     = 13
	timestamp  = 14
	decimal128 = 15
	other      = 16
)

// batch is a handle; dropped, it is of no use any more.
type batch struct {
	fields  []host.Field
	columns []host.Column
	rows    uint32
	dropped bool
}

func refused(format string, values ...any) *host.Fault {
	return &host.Fault{Kind: host.InvalidData, Message: fmt.Sprintf(format, values...)}
}

func (b *batch) Schema() []host.Field { return slices.Clone(b.fields) }

func (b *batch) Rows() uint32 { return b.rows }

func (b *batch) Drop() { b.dropped = true }

func (b *batch) Column(index uint32, form host.Form) (host.Column, *host.Fault) {
	if int(index) >= len(b.columns) {
		return host.Column{}, refused("there is no column %d", index)
	}
	return shown(b.fields[index], b.columns[index], b.rows, form)
}

func (b *batch) Take(rows []uint32) (host.Batch, *host.Fault) {
	for _, row := range rows {
		if row >= b.rows {
			return nil, refused("there is no row %d; there are %d", row, b.rows)
		}
	}
	out := &batch{fields: b.fields, rows: uint32(len(rows)), columns: make([]host.Column, len(b.columns))}
	for i, column := range b.columns {
		out.columns[i] = gathered(b.fields[i], column, rows)
	}
	return out, nil
}

func (b *batch) Filter(mask []byte) (host.Batch, *host.Fault) {
	if len(mask) != bitBytes(b.rows) {
		return nil, refused("the mask has %d bytes; %d rows need %d", len(mask), b.rows, bitBytes(b.rows))
	}
	var rows []uint32
	for row := range b.rows {
		if bit(mask, row) {
			rows = append(rows, row)
		}
	}
	return b.Take(rows)
}

func (b *batch) Slice(offset, rows uint32) (host.Batch, *host.Fault) {
	if uint64(offset)+uint64(rows) > uint64(b.rows) {
		return nil, refused("%d rows from %d on pass the end; there are %d", rows, offset, b.rows)
	}
	positions := make([]uint32, rows)
	for i := range positions {
		positions[i] = offset + uint32(i)
	}
	return b.Take(positions)
}

func (b *batch) Select(columns []host.Pick) (host.Batch, *host.Fault) {
	out := &batch{rows: b.rows}
	for _, pick := range columns {
		if int(pick.Index) >= len(b.columns) {
			return nil, refused("there is no column %d", pick.Index)
		}
		field := b.fields[pick.Index]
		field.Name = pick.Name
		out.fields = append(out.fields, field)
		out.columns = append(out.columns, b.columns[pick.Index])
	}
	return out, unique(out.fields)
}

func (b *batch) With(schema []host.Field, columns []host.Column) (host.Batch, *host.Fault) {
	made, fault := Current.FromColumns(schema, b.rows, columns)
	if fault != nil {
		return nil, fault
	}
	out := &batch{fields: slices.Clone(b.fields), columns: slices.Clone(b.columns), rows: b.rows}
	for i, field := range schema {
		column := made.(*batch).columns[i]
		at := slices.IndexFunc(out.fields, func(f host.Field) bool { return f.Name == field.Name })
		if at >= 0 {
			out.fields[at], out.columns[at] = field, column
		} else {
			out.fields, out.columns = append(out.fields, field), append(out.columns, column)
		}
	}
	return out, nil
}

func (b *batch) Zip(with host.Batch) (host.Batch, *host.Fault) {
	more := with.(*batch)
	if more.rows != b.rows {
		return nil, refused("%d rows cannot be zipped with %d", b.rows, more.rows)
	}
	out := &batch{
		fields: slices.Concat(b.fields, more.fields), columns: slices.Concat(b.columns, more.columns), rows: b.rows,
	}
	return out, unique(out.fields)
}

// stored is a batch as its own stream.
type stored struct {
	Fields  []host.Field
	Columns []host.Column
	Rows    uint32
}

func (b *batch) ToIPC(columns []uint32) ([]byte, *host.Fault) {
	out := stored{Rows: b.rows}
	for _, index := range columns {
		if int(index) >= len(b.columns) {
			return nil, refused("there is no column %d", index)
		}
		out.Fields, out.Columns = append(out.Fields, b.fields[index]), append(out.Columns, b.columns[index])
	}
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(out); err != nil {
		return nil, refused("%v", err)
	}
	return data.Bytes(), nil
}

func unique(fields []host.Field) *host.Fault {
	seen := map[string]bool{}
	for _, field := range fields {
		if seen[field.Name] {
			return refused("two columns are named %q", field.Name)
		}
		seen[field.Name] = true
	}
	return nil
}

// Host is the stand-in.
type Host struct {
	sync.Mutex
	// Logged are lines of the log, e.g. "info: done".
	Logged []string
	// Counted are the counters.
	Counted map[string]uint64
	// Quarantined are the records that were set aside.
	Quarantined []host.BadRecord
}

// Current is the stand-in of this process.
var Current = &Host{Counted: map[string]uint64{}}

func init() { host.Current = Current }

// FromColumns holds the columns to the contract's rules.
func (*Host) FromColumns(schema []host.Field, rows uint32, columns []host.Column) (host.Batch, *host.Fault) {
	if len(schema) != len(columns) {
		return nil, refused("%d fields, but %d columns", len(schema), len(columns))
	}
	out := &batch{fields: slices.Clone(schema), columns: make([]host.Column, len(columns)), rows: rows}
	for i, column := range columns {
		taken, reason := taken(schema[i], column, rows)
		if reason != "" {
			return nil, refused("column %q: %s", schema[i].Name, reason)
		}
		out.columns[i] = taken
	}
	return out, unique(schema)
}

// FromIPC reads what ToIPC wrote.
func (*Host) FromIPC(data []byte) (host.Batch, *host.Fault) {
	var in stored
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&in); err != nil {
		return nil, refused("not a batch of this stand-in, which has a form of its own instead of Arrow's: %v", err)
	}
	return &batch{fields: in.Fields, columns: in.Columns, rows: in.Rows}, nil
}

// Concat puts rows one after another.
func (*Host) Concat(parts []host.Batch) (host.Batch, *host.Fault) {
	if len(parts) == 0 {
		return nil, refused("there is nothing to concatenate")
	}
	first := parts[0].(*batch)
	out := &batch{fields: first.fields, columns: make([]host.Column, len(first.columns))}
	for _, part := range parts {
		part := part.(*batch)
		if !slices.EqualFunc(part.fields, first.fields, same) {
			return nil, refused("the batches have different schemas")
		}
		out.rows += part.rows
	}
	for i, field := range first.fields {
		joined := empty(field)
		for _, part := range parts {
			joined.append(part.(*batch).columns[i], all(part.(*batch).rows))
		}
		out.columns[i] = joined.column()
	}
	return out, nil
}

func same(a, b host.Field) bool {
	details := a.Detail == nil && b.Detail == nil || a.Detail != nil && b.Detail != nil && *a.Detail == *b.Detail
	return a.Name == b.Name && a.Type == b.Type && a.Nullable == b.Nullable && details
}

// Log keeps a line.
func (h *Host) Log(level uint8, message string) {
	h.Lock()
	defer h.Unlock()
	h.Logged = append(h.Logged, [...]string{"debug", "info", "warn", "error"}[level&3]+": "+message)
}

// Count adds.
func (h *Host) Count(name string, by uint64) {
	h.Lock()
	defer h.Unlock()
	h.Counted[name] += by
}

// Quarantine keeps records.
func (h *Host) Quarantine(records []host.BadRecord) {
	h.Lock()
	defer h.Unlock()
	h.Quarantined = append(h.Quarantined, records...)
}

// Breathe does nothing: here the garbage collector may run at any time.
func (*Host) Breathe(bool) {}

// Reset forgets what was reported.
func (h *Host) Reset() {
	h.Lock()
	defer h.Unlock()
	h.Logged, h.Counted, h.Quarantined = nil, map[string]uint64{}, nil
}
