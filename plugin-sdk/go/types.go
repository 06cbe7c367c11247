package stage

import (
	"fmt"
	"slices"
	"strings"

	"sluicebox.dev/stage/internal/host"
)

// DataType is an Arrow logical type.
type DataType uint8

// The data types.
const (
	Boolean DataType = iota
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
	// UTF8 is text.
	UTF8
	// Binary is bytes.
	Binary
	// Date32 is days since 1970-01-01, read as int32.
	Date32
	// Timestamp is microseconds since 1970-01-01T00:00:00, read as int64; Field.Detail is the time zone, none = local time.
	Timestamp
	// Decimal128 is a whole number of 128 bits; Field.Detail is "precision,scale".
	Decimal128
	// Other is any other Arrow type: it is carried from batch to batch by Filter, Take, Select, Zip, ..., or read and made as
	// an Arrow IPC stream.
	Other
)

var dataTypes = [...]string{
	"boolean", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
	"utf8", "binary", "date32", "timestamp", "decimal128", "other",
}

// String is the type's name in the contract, e.g. "utf8".
func (t DataType) String() string {
	if int(t) < len(dataTypes) {
		return dataTypes[t]
	}
	return fmt.Sprintf("data type %d", uint8(t))
}

// width is the bytes a row takes; 0 where rows have no whole bytes, or differ.
func (t DataType) width() int {
	switch t {
	case Int8, Uint8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Float32, Date32:
		return 4
	case Int64, Uint64, Float64, Timestamp:
		return 8
	case Decimal128:
		return 16
	default:
		return 0
	}
}

// Field is a column's name and type.
type Field struct {
	Name string
	Type DataType
	// Nullable is false where the column has no nulls; a batch that holds one there is refused.
	Nullable bool
	// Detail is the time zone of a timestamp ("" = local time), "precision,scale" of a decimal128, and Arrow's name of the
	// type, for people, of any other.
	Detail string
}

// Nullable is a field that may hold nulls.
func Nullable(name string, t DataType) Field { return Field{Name: name, Type: t, Nullable: true} }

// NotNull is a field without nulls.
func NotNull(name string, t DataType) Field { return Field{Name: name, Type: t} }

// String is the name with the type, e.g. "carrier utf8".
func (f Field) String() string {
	if f.Type == Other && f.Detail != "" {
		return f.Name + " " + f.Detail
	}
	return f.Name + " " + f.Type.String()
}

// Schema is the columns in their order. Names are unique.
type Schema []Field

// Index is the position of a column, -1 where there is none of that name.
func (s Schema) Index(name string) int {
	return slices.IndexFunc(s, func(f Field) bool { return f.Name == name })
}

// Need finds a column that is of one of these types (any, where none is given). Where it is not there, or of another type,
// the fault says which there are: an answer for the author of the pipeline.
func (s Schema) Need(name string, types ...DataType) (Field, error) {
	i := s.Index(name)
	if i < 0 {
		return Field{}, InvalidConfig("no column %q; there are %s", name, s)
	}
	if len(types) > 0 && !slices.Contains(types, s[i].Type) {
		wanted := make([]string, len(types))
		for i, t := range types {
			wanted[i] = t.String()
		}
		return Field{}, InvalidConfig("column %q is %s, not %s; there are %s", name, s[i].Type, strings.Join(wanted, " or "), s)
	}
	return s[i], nil
}

// With is the schema with these fields behind, or in place of a field of the same name.
func (s Schema) With(fields ...Field) Schema {
	out := slices.Clone(s)
	for _, field := range fields {
		if i := out.Index(field.Name); i >= 0 {
			out[i] = field
		} else {
			out = append(out, field)
		}
	}
	return out
}

// String lists the columns with their types.
func (s Schema) String() string {
	if len(s) == 0 {
		return "no columns"
	}
	fields := make([]string, len(s))
	for i, field := range s {
		fields[i] = field.String()
	}
	return strings.Join(fields, ", ")
}

func (f Field) cross() host.Field {
	out := host.Field{Name: f.Name, Type: uint8(f.Type), Nullable: f.Nullable}
	if f.Detail != "" {
		out.Detail = &f.Detail
	}
	return out
}

// CrossSchema is for the SDK's own packages.
func CrossSchema(s Schema) []host.Field {
	out := make([]host.Field, len(s))
	for i, field := range s {
		out[i] = field.cross()
	}
	return out
}

// SchemaOf is for the SDK's own packages.
func SchemaOf(fields []host.Field) Schema {
	out := make(Schema, len(fields))
	for i, field := range fields {
		out[i] = Field{Name: field.Name, Type: DataType(field.Type), Nullable: field.Nullable}
		if field.Detail != nil {
			out[i].Detail = *field.Detail
		}
	}
	return out
}

// Context says why and for when a run runs. Times are RFC 3339 in UTC.
type Context struct {
	RunID    string
	Pipeline string
	Stage    string
	// Attempt is counted from 1.
	Attempt int
	// IntervalStart and IntervalEnd are the data interval: start included, end excluded.
	IntervalStart string
	IntervalEnd   string
}

// Capability is what a stage may ask to be granted.
type Capability uint8

// The capabilities.
const (
	ReadFiles Capability = iota
	WriteFiles
	HTTP
	TCP
	Environment
	Clock
	Random
)

// Plugin is what a plugin says of itself.
type Plugin struct {
	// Name is lower-case words joined by hyphens, e.g. "join-text".
	Name string
	// Version is the plugin's own, semver; "0.1.0" unless given.
	Version string
	// Summary is one sentence.
	Summary string
	// Capabilities are what the stage asks to be granted; it gets only what the author of the pipeline grants.
	Capabilities []Capability
	// Stateless is true where the answer to a batch depends on that batch alone: such a stage runs on many instances at
	// once, and a batch that kills it can be split to find the rows at fault.
	Stateless bool
}

// NoOptions is for a stage without options.
type NoOptions struct{}
