package stage

import "bytes"

// numeric are the types that AsFloat64 reads.
var numeric = []DataType{Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, Float32, Float64}

// NumberTypes are the types of numbers, for Schema.Need.
func NumberTypes() []DataType { return append([]DataType(nil), numeric...) }

// AsFloat64 reads a column of any type of numbers as float64; whole numbers beyond 2^53 lose their last digits.
func (b *Batch) AsFloat64(name string) (Vector[float64], error) {
	field, err := b.Schema().Need(name, numeric...)
	if err != nil {
		return Vector[float64]{}, err
	}
	switch field.Type {
	case Int8:
		return asFloat64[int8](b, name)
	case Int16:
		return asFloat64[int16](b, name)
	case Int32:
		return asFloat64[int32](b, name)
	case Int64:
		return asFloat64[int64](b, name)
	case Uint8:
		return asFloat64[uint8](b, name)
	case Uint16:
		return asFloat64[uint16](b, name)
	case Uint32:
		return asFloat64[uint32](b, name)
	case Uint64:
		return asFloat64[uint64](b, name)
	case Float32:
		return asFloat64[float32](b, name)
	default:
		return Numbers[float64](b, name)
	}
}

type plainNumber interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32
}

func asFloat64[T plainNumber](b *Batch, name string) (Vector[float64], error) {
	from, err := Numbers[T](b, name)
	if err != nil {
		return Vector[float64]{}, err
	}
	out := make([]float64, len(from.Values))
	for row, value := range from.Values {
		out[row] = float64(value)
	}
	return Vector[float64]{from.validity, out}, nil
}

// Any are a column's values, nil where null: bool, the number as its type is (Date32 as int32, Timestamp as int64,
// Decimal128 as Int128), string, []byte. It is slow, but handy for small batches and tests.
func (b *Batch) Any(name string) ([]any, error) {
	field, err := b.Schema().Need(name)
	if err != nil {
		return nil, err
	}
	switch field.Type {
	case Boolean:
		column, err := b.Bool(name)
		return anys(b, err, func(row int) (any, bool) { return column.At(row) })
	case UTF8:
		column, err := b.Text(name)
		return anys(b, err, func(row int) (any, bool) { return column.At(row) })
	case Binary:
		column, err := b.Binary(name)
		return anys(b, err, func(row int) (any, bool) { return bytes.Clone(column.BytesAt(row)), !column.Null(row) })
	case Int8:
		return anyNumbers[int8](b, name)
	case Int16:
		return anyNumbers[int16](b, name)
	case Int32, Date32:
		return anyNumbers[int32](b, name)
	case Int64, Timestamp:
		return anyNumbers[int64](b, name)
	case Uint8:
		return anyNumbers[uint8](b, name)
	case Uint16:
		return anyNumbers[uint16](b, name)
	case Uint32:
		return anyNumbers[uint32](b, name)
	case Uint64:
		return anyNumbers[uint64](b, name)
	case Float32:
		return anyNumbers[float32](b, name)
	case Float64:
		return anyNumbers[float64](b, name)
	case Decimal128:
		return anyNumbers[Int128](b, name)
	default:
		return nil, InvalidConfig("column %q is %s, which has no values here; drop it, or cast it before", name, field)
	}
}

func anyNumbers[T Number](b *Batch, name string) ([]any, error) {
	column, err := Numbers[T](b, name)
	return anys(b, err, func(row int) (any, bool) { return column.At(row) })
}

func anys(b *Batch, err error, at func(row int) (any, bool)) ([]any, error) {
	if err != nil {
		return nil, err
	}
	out := make([]any, b.Rows())
	for row := range out {
		if value, ok := at(row); ok {
			out[row] = value
		}
	}
	return out, nil
}
