package stage

import (
	"iter"
	"math/big"
	"slices"
	"time"
	"unsafe"

	"sluicebox.dev/stage/internal/host"
)

// Column is a column of values, read from a batch or to be made part of one.
type Column struct {
	Field   Field
	rows    int
	crossed host.Column
	// What went wrong while it was built.
	err error
}

// Rows is how many rows it has.
func (c Column) Rows() int { return c.rows }

// Bytes are the values as they crossed, little-endian; the bits of a boolean; the data that the offsets of text or bytes
// point into; nil where the form was Strings. Not a copy.
func (c Column) Bytes() []byte { return c.crossed.Data }

// As is the column under another field, e.g. with another name. Its type has to be of the same width.
func (c Column) As(field Field) Column {
	c.Field = field
	return c
}

// Number is a value of a fixed width. Date32 is read as int32, Timestamp as int64, Decimal128 as Int128.
type Number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 | Int128
}

// Int128 is the value of a Decimal128, without its scale.
type Int128 struct {
	Low  uint64
	High int64
}

// Big is the same number.
func (n Int128) Big() *big.Int {
	out := new(big.Int).Lsh(big.NewInt(n.High), 64)
	return out.Add(out, new(big.Int).SetUint64(n.Low))
}

// Int128Of is a number as Int128; false where it does not fit.
func Int128Of(n *big.Int) (Int128, bool) {
	high := new(big.Int).Rsh(n, 64)
	low := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0)))
	return Int128{Low: low.Uint64(), High: high.Int64()}, high.IsInt64()
}

// typesOf are the data types that are read as T, the one that T is first.
func typesOf[T Number]() []DataType {
	var zero T
	switch any(zero).(type) {
	case int8:
		return []DataType{Int8}
	case int16:
		return []DataType{Int16}
	case int32:
		return []DataType{Int32, Date32}
	case int64:
		return []DataType{Int64, Timestamp}
	case uint8:
		return []DataType{Uint8}
	case uint16:
		return []DataType{Uint16}
	case uint32:
		return []DataType{Uint32}
	case uint64:
		return []DataType{Uint64}
	case float32:
		return []DataType{Float32}
	case float64:
		return []DataType{Float64}
	default:
		return []DataType{Decimal128}
	}
}

// validity is which rows are not null.
type validity struct {
	valid []byte
	rows  int
}

// Rows is how many rows there are.
func (v validity) Rows() int { return v.rows }

// Null is whether a row has no value.
func (v validity) Null(row int) bool {
	return v.valid != nil && v.valid[row>>3]&(1<<(row&7)) == 0
}

// HasNulls is whether any row may be null.
func (v validity) HasNulls() bool { return v.valid != nil }

// Vector is a column of numbers.
type Vector[T Number] struct {
	validity
	// Values has a value for each row; that of a row that is null means nothing. It is the memory that crossed: change it
	// as you like.
	Values []T
}

// At is a row's value, and whether it is there (not null).
func (v Vector[T]) At(row int) (value T, ok bool) { return v.Values[row], !v.Null(row) }

// All goes through the rows that are not null.
func (v Vector[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for row, value := range v.Values {
			if !v.Null(row) && !yield(row, value) {
				return
			}
		}
	}
}

// Column makes it a column again, e.g. after its values were changed in place.
func (v Vector[T]) Column(field Field) Column {
	return Column{
		Field: field, rows: v.rows, err: fits[T](field),
		crossed: host.Column{Tag: host.FixedBytes, Data: bytesOf(v.Values), Validity: v.valid},
	}
}

// Numbers reads a column of numbers: Numbers[int64](batch, "n").
func Numbers[T Number](batch *Batch, name string) (Vector[T], error) {
	column, err := batch.need(name, typesOf[T]()...)
	if err != nil {
		return Vector[T]{}, err
	}
	return Vector[T]{validity{column.crossed.Validity, column.rows}, numbersOf[T](column.crossed.Data)}, nil
}

// Int64 reads a column of int64, or of timestamps in microseconds.
func (b *Batch) Int64(name string) (Vector[int64], error) { return Numbers[int64](b, name) }

// Int32 reads a column of int32, or of dates in days.
func (b *Batch) Int32(name string) (Vector[int32], error) { return Numbers[int32](b, name) }

// Float64 reads a column of float64.
func (b *Batch) Float64(name string) (Vector[float64], error) { return Numbers[float64](b, name) }

// Bools is a column of booleans.
type Bools struct {
	validity
	values Mask
}

// At is a row's value, and whether it is there (not null).
func (v Bools) At(row int) (value, ok bool) { return v.values.Has(row), !v.Null(row) }

// True is the rows that are true, and not null.
func (v Bools) True() Mask {
	out := Mask{bits: slices.Clone(v.values.bits), rows: v.rows}
	for i := range v.valid {
		out.bits[i] &= v.valid[i]
	}
	return out
}

// Bool reads a column of booleans.
func (b *Batch) Bool(name string) (Bools, error) {
	column, err := b.need(name, Boolean)
	if err != nil {
		return Bools{}, err
	}
	return Bools{validity{column.crossed.Validity, column.rows}, Mask{column.crossed.Data, column.rows}}, nil
}

// Texts is a column of text or bytes.
type Texts struct {
	validity
	offsets []int32
	data    []byte
}

// At is a row's text, and whether it is there (not null). It is not copied: it keeps the column's memory as long as it is
// used; strings.Clone what you keep.
func (t Texts) At(row int) (text string, ok bool) {
	if t.Null(row) {
		return "", false
	}
	return unsafe.String(unsafe.SliceData(t.data[t.offsets[row]:]), t.offsets[row+1]-t.offsets[row]), true
}

// BytesAt is the same as bytes, nil where null; not a copy.
func (t Texts) BytesAt(row int) []byte {
	if t.Null(row) {
		return nil
	}
	end := t.offsets[row+1]
	return t.data[t.offsets[row]:end:end]
}

// All goes through the rows that are not null.
func (t Texts) All() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for row := range t.rows {
			if text, ok := t.At(row); ok && !yield(row, text) {
				return
			}
		}
	}
}

// Strings are the texts, "" where null; not copied.
func (t Texts) Strings() []string {
	out := make([]string, t.rows)
	for row := range out {
		out[row], _ = t.At(row)
	}
	return out
}

// Text reads a column of text.
func (b *Batch) Text(name string) (Texts, error) { return b.texts(name, UTF8) }

// Binary reads a column of bytes.
func (b *Batch) Binary(name string) (Texts, error) { return b.texts(name, Binary) }

func (b *Batch) texts(name string, t DataType) (Texts, error) {
	column, err := b.need(name, t)
	if err != nil {
		return Texts{}, err
	}
	return Texts{
		validity{column.crossed.Validity, column.rows}, numbersOf[int32](column.crossed.Offsets), column.crossed.Data,
	}, nil
}

// numbersOf looks at bytes as numbers, without a copy where they are aligned. The bytes come from the host or the SDK's own
// stand-in, little-endian as every machine that Go's WASM and the common ones are.
func numbersOf[T Number](data []byte) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	count := len(data) / size
	if count == 0 {
		return nil
	}
	start := unsafe.Pointer(unsafe.SliceData(data))
	if uintptr(start)%unsafe.Alignof(zero) == 0 {
		return unsafe.Slice((*T)(start), count)
	}
	out := make([]T, count)
	copy(bytesOf(out), data)
	return out
}

func bytesOf[T Number](values []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(zero)))
}

// Date is the day of a Date32.
func Date(days int32) time.Time { return time.Unix(int64(days)*86_400, 0).UTC() }

// Days is a day as Date32, whatever its time of day.
func Days(t time.Time) int32 {
	year, month, day := t.Date()
	return int32(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86_400)
}

// Time is the moment of a Timestamp.
func Time(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
