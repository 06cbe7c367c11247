// Package host is what the SDK needs of the host, in plain types: inside a component it is the host itself, elsewhere a
// stand-in in memory.
package host

// Form is how a column's values cross.
type Form uint8

// The forms, numbered as in the contract.
const (
	Typed Form = iota
	Raw
	Strings
)

// Tag says which case of the contract's `values` a column is, numbered as there.
type Tag uint8

// The cases.
const (
	Bits Tag = iota
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float32
	Float64
	Variable
	FixedBytes
	VariableBytes
	Texts
)

// Field is a column's name and type; the type is numbered as in the contract.
type Field struct {
	Name     string
	Type     uint8
	Nullable bool
	Detail   *string
}

// Column is one column's buffers. All numbers are little-endian.
type Column struct {
	Tag Tag
	// Data holds the bits, the numbers, or what Offsets point into.
	Data []byte
	// Offsets are those of Variable and VariableBytes, 4 bytes each.
	Offsets []byte
	// Texts are those of Texts; nil = null.
	Texts []*string
	// Validity has one bit a row, 1 = present; nil = no nulls.
	Validity []byte
}

// Fault is why the host refused; the kind is numbered as in the contract.
type Fault struct {
	Kind    uint8
	Message string
	Row     *uint32
}

// The kinds of faults, numbered as in the contract.
const (
	InvalidConfig uint8 = iota
	InvalidData
	Denied
	Unavailable
	Internal
)

// Pick is a column by its position, and its new name.
type Pick struct {
	Index uint32
	Name  string
}

// BadRecord is a record that could not be made a row.
type BadRecord struct {
	Origin, Content, Reason string
}

// Batch is a handle of a record batch.
type Batch interface {
	Schema() []Field
	Rows() uint32
	Column(index uint32, form Form) (Column, *Fault)
	ToIPC(columns []uint32) ([]byte, *Fault)
	Filter(mask []byte) (Batch, *Fault)
	Take(rows []uint32) (Batch, *Fault)
	Slice(offset, rows uint32) (Batch, *Fault)
	Select(columns []Pick) (Batch, *Fault)
	With(schema []Field, columns []Column) (Batch, *Fault)
	Zip(other Batch) (Batch, *Fault)
	Drop()
}

// Host makes batches and takes reports.
type Host interface {
	FromColumns(schema []Field, rows uint32, columns []Column) (Batch, *Fault)
	FromIPC(data []byte) (Batch, *Fault)
	Concat(parts []Batch) (Batch, *Fault)
	Log(level uint8, message string)
	Count(name string, by uint64)
	Quarantine(records []BadRecord)
	// Breathe is called where garbage may be collected; `ended` is whether a call of the host has ended.
	Breathe(ended bool)
}

// Current is the host of this process. It is set while packages are initialized.
var Current Host
