// Package stagetest is for the tests of stages: `go test`, without a host. Batches are held in memory, to the rules that the
// host holds them to.
//
// A test is in the stage's own package, so that its init has registered the stage:
//
//	in := stagetest.NewBatch(t, stagetest.Column("from", "EWR", nil))
//	out, err := stagetest.Transform(t, map[string]any{"columns": []string{"from"}}, in)
package stagetest

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"sluicebox.dev/stage"
)

// Column is a nullable column; its type is that of its first value: string, []byte, bool, int and int64, the other numbers,
// time.Time (a timestamp), stage.Int128; nil is null.
func Column(name string, values ...any) stage.Column {
	for _, value := range values {
		if value != nil {
			return ColumnOf(stage.Nullable(name, typeOf(value)), values...)
		}
	}
	return ColumnOf(stage.Nullable(name, stage.UTF8), values...)
}

func typeOf(value any) stage.DataType {
	switch value.(type) {
	case bool:
		return stage.Boolean
	case int8:
		return stage.Int8
	case int16:
		return stage.Int16
	case int32:
		return stage.Int32
	case int, int64:
		return stage.Int64
	case uint8:
		return stage.Uint8
	case uint16:
		return stage.Uint16
	case uint32:
		return stage.Uint32
	case uint64:
		return stage.Uint64
	case float32:
		return stage.Float32
	case float64:
		return stage.Float64
	case string:
		return stage.UTF8
	case []byte:
		return stage.Binary
	case time.Time:
		return stage.Timestamp
	case stage.Int128:
		return stage.Decimal128
	default:
		panic(fmt.Sprintf("stagetest: a column cannot hold %T", value))
	}
}

// ColumnOf is a column of a field. Whole numbers may be written as int where they fit.
func ColumnOf(field stage.Field, values ...any) stage.Column {
	switch field.Type {
	case stage.Boolean:
		builder := stage.NewBoolBuilder(field, len(values))
		for _, value := range values {
			if value == nil {
				builder.AppendNull()
			} else {
				builder.Append(value.(bool))
			}
		}
		return builder.Column()
	case stage.UTF8, stage.Binary:
		builder := stage.NewTextBuilder(field, len(values), 0)
		for _, value := range values {
			switch value := value.(type) {
			case nil:
				builder.AppendNull()
			case []byte:
				builder.AppendBytes(value)
			default:
				builder.Append(value.(string))
			}
		}
		return builder.Column()
	case stage.Int8:
		return numbers[int8](field, values)
	case stage.Int16:
		return numbers[int16](field, values)
	case stage.Int32, stage.Date32:
		return numbers[int32](field, values)
	case stage.Int64, stage.Timestamp:
		return numbers[int64](field, values)
	case stage.Uint8:
		return numbers[uint8](field, values)
	case stage.Uint16:
		return numbers[uint16](field, values)
	case stage.Uint32:
		return numbers[uint32](field, values)
	case stage.Uint64:
		return numbers[uint64](field, values)
	case stage.Float32:
		return numbers[float32](field, values)
	case stage.Float64:
		return numbers[float64](field, values)
	case stage.Decimal128:
		return numbers[stage.Int128](field, values)
	default:
		panic(fmt.Sprintf("stagetest: column %q cannot be made of %s", field.Name, field.Type))
	}
}

func numbers[T stage.Number](field stage.Field, values []any) stage.Column {
	builder := stage.NewBuilder[T](field, len(values))
	for _, value := range values {
		if value == nil {
			builder.AppendNull()
			continue
		}
		builder.Append(number[T](field, value))
	}
	return builder.Column()
}

func number[T stage.Number](field stage.Field, value any) T {
	var out T
	if moment, ok := value.(time.Time); ok {
		value = moment.UnixMicro()
		if field.Type == stage.Date32 {
			value = stage.Days(moment)
		}
	}
	from, to := reflect.ValueOf(value), reflect.ValueOf(&out).Elem()
	if !from.CanConvert(to.Type()) || to.Kind() == reflect.String {
		panic(fmt.Sprintf("stagetest: column %q of %s cannot hold %v", field.Name, field.Type, value))
	}
	to.Set(from.Convert(to.Type()))
	if from.CanInt() && !reflect.DeepEqual(to.Convert(from.Type()).Interface(), from.Interface()) {
		panic(fmt.Sprintf("stagetest: column %q of %s cannot hold %v", field.Name, field.Type, value))
	}
	return out
}

// NewBatch is a batch of columns; the test fails where they do not fit together.
func NewBatch(t testing.TB, columns ...stage.Column) *stage.Batch {
	t.Helper()
	batch, err := stage.NewBatch(columns...)
	if err != nil {
		t.Fatal(err)
	}
	return batch.Keep()
}

// Values are a column's values, nil where null: bool, the number as its type is, string, []byte.
func Values(t testing.TB, batch *stage.Batch, name string) []any {
	t.Helper()
	values, err := batch.Any(name)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// Expect holds a column to values, nil = null; whole numbers and floats may be written as they come.
func Expect(t testing.TB, batch *stage.Batch, name string, values ...any) {
	t.Helper()
	got := Values(t, batch, name)
	same := len(got) == len(values)
	for i := range got {
		same = same && equal(got[i], values[i])
	}
	if !same {
		t.Errorf("column %q is %v; expected %v", name, got, values)
	}
}

func equal(got, want any) bool {
	if got == nil || want == nil {
		return got == want
	}
	if got, ok := got.([]byte); ok {
		want, ok := want.([]byte)
		return ok && bytes.Equal(got, want)
	}
	if got, ok := got.(float64); ok && math.IsNaN(got) {
		want, ok := want.(float64)
		return ok && math.IsNaN(want)
	}
	to, from := reflect.TypeOf(got), reflect.ValueOf(want)
	if to.Kind() == reflect.String != (from.Kind() == reflect.String) || !from.CanConvert(to) {
		return false
	}
	return got == from.Convert(to).Interface()
}
