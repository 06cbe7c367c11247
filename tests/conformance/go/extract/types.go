package main

import (
	"math"
	"math/big"
	"time"

	"sluicebox.dev/stage"
)

// types are all types of the contract but `other`: of three rows the second is null.
func types() []stage.Column {
	decimal := stage.Nullable("decimal128", stage.Decimal128)
	decimal.Detail = "10,2"
	return []stage.Column{
		booleans(true, false),
		ends[int8](stage.Int8, math.MinInt8, math.MaxInt8),
		ends[int16](stage.Int16, math.MinInt16, math.MaxInt16),
		ends[int32](stage.Int32, math.MinInt32, math.MaxInt32),
		ends[int64](stage.Int64, math.MinInt64, math.MaxInt64),
		ends[uint8](stage.Uint8, 0, math.MaxUint8),
		ends[uint16](stage.Uint16, 0, math.MaxUint16),
		ends[uint32](stage.Uint32, 0, math.MaxUint32),
		ends[uint64](stage.Uint64, 0, math.MaxUint64),
		ends[float32](stage.Float32, -0.5, 1.5),
		ends(stage.Float64, 0.1, 1e300),
		texts(stage.UTF8, "", "a\u00e4\u20ac\U0001f600"),
		texts(stage.Binary, "", "\x00\xff"),
		ends(stage.Date32, stage.Days(date(1969, 12, 31)), stage.Days(date(2013, 1, 31))),
		ends[int64](stage.Timestamp, -1, date(2013, 1, 31).Add(10*time.Hour).UnixMicro()),
		numbersOf(decimal, int128(-1234567890), int128(1)),
	}
}

// floats are what is no number, the infinities and the zero below zero, of both widths.
func floats() []stage.Column {
	wide := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}
	narrow := make([]float32, len(wide))
	for i, value := range wide {
		narrow[i] = float32(value)
	}
	return []stage.Column{
		stage.NumberColumn(stage.NotNull("float32", stage.Float32), narrow),
		stage.NumberColumn(stage.NotNull("float64", stage.Float64), wide),
	}
}

func schemaOf(columns []stage.Column) stage.Schema {
	var schema stage.Schema
	for _, column := range columns {
		schema = append(schema, column.Field)
	}
	return schema
}

func booleans(first, last bool) stage.Column {
	builder := stage.NewBoolBuilder(stage.Nullable("boolean", stage.Boolean), 3)
	builder.Append(first)
	builder.AppendNull()
	builder.Append(last)
	return builder.Column()
}

func ends[T stage.Number](t stage.DataType, first, last T) stage.Column {
	return numbersOf(stage.Nullable(t.String(), t), first, last)
}

func numbersOf[T stage.Number](field stage.Field, first, last T) stage.Column {
	builder := stage.NewBuilder[T](field, 3)
	builder.Append(first)
	builder.AppendNull()
	builder.Append(last)
	return builder.Column()
}

func texts(t stage.DataType, first, last string) stage.Column {
	builder := stage.NewTextBuilder(stage.Nullable(t.String(), t), 3, 16)
	builder.Append(first)
	builder.AppendNull()
	builder.Append(last)
	return builder.Column()
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func int128(n int64) stage.Int128 {
	out, _ := stage.Int128Of(big.NewInt(n))
	return out
}
