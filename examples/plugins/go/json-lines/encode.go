package main

import (
	"math"
	"strconv"
	"strings"

	"sluicebox.dev/stage"
)

// encoder adds a row's value to a line.
type encoder func(line []byte, row int) []byte

// column is how a column is written: its key with the colon, and what reads it from a batch.
type column struct {
	key  []byte
	read func(*stage.Batch) (encoder, error)
}

func columnsOf(schema stage.Schema) ([]column, error) {
	out := make([]column, len(schema))
	for i, field := range schema {
		read := reader(field)
		if read == nil {
			return nil, stage.InvalidConfig("column %q is %s; drop it, or cast it before", field.Name, field.Type)
		}
		out[i] = column{append(appendText(nil, field.Name), ':'), read}
	}
	return out, nil
}

func reader(field stage.Field) func(*stage.Batch) (encoder, error) {
	name := field.Name
	switch field.Type {
	case stage.Boolean:
		return func(batch *stage.Batch) (encoder, error) {
			values, err := batch.Bool(name)
			return func(line []byte, row int) []byte {
				value, ok := values.At(row)
				if !ok {
					return append(line, "null"...)
				}
				return strconv.AppendBool(line, value)
			}, err
		}
	case stage.UTF8:
		return func(batch *stage.Batch) (encoder, error) {
			values, err := batch.Text(name)
			return func(line []byte, row int) []byte {
				value, ok := values.At(row)
				if !ok {
					return append(line, "null"...)
				}
				return appendText(line, value)
			}, err
		}
	case stage.Int8:
		return numbers(name, appendInt[int8])
	case stage.Int16:
		return numbers(name, appendInt[int16])
	case stage.Int32:
		return numbers(name, appendInt[int32])
	case stage.Int64:
		return numbers(name, appendInt[int64])
	case stage.Uint8:
		return numbers(name, appendUint[uint8])
	case stage.Uint16:
		return numbers(name, appendUint[uint16])
	case stage.Uint32:
		return numbers(name, appendUint[uint32])
	case stage.Uint64:
		return numbers(name, appendUint[uint64])
	case stage.Float32:
		return numbers(name, func(line []byte, value float32) []byte { return appendFloat(line, widened(value)) })
	case stage.Float64:
		return numbers(name, appendFloat)
	case stage.Date32:
		return numbers(name, func(line []byte, days int32) []byte {
			return stage.Date(days).AppendFormat(line, `"2006-01-02"`)
		})
	case stage.Timestamp:
		return numbers(name, func(line []byte, micros int64) []byte {
			format := `"2006-01-02T15:04:05.000000"`
			if micros%1_000_000 == 0 {
				format = `"2006-01-02T15:04:05"`
			}
			return stage.Time(micros).AppendFormat(line, format)
		})
	default:
		return nil
	}
}

func numbers[T stage.Number](name string, add func([]byte, T) []byte) func(*stage.Batch) (encoder, error) {
	return func(batch *stage.Batch) (encoder, error) {
		values, err := stage.Numbers[T](batch, name)
		return func(line []byte, row int) []byte {
			value, ok := values.At(row)
			if !ok {
				return append(line, "null"...)
			}
			return add(line, value)
		}, err
	}
}

func appendInt[T int8 | int16 | int32 | int64](line []byte, value T) []byte {
	return strconv.AppendInt(line, int64(value), 10)
}

func appendUint[T uint8 | uint16 | uint32 | uint64](line []byte, value T) []byte {
	return strconv.AppendUint(line, uint64(value), 10)
}

// widened is the number that the shortest text of a float of 32 bits is.
func widened(value float32) float64 {
	wide, err := strconv.ParseFloat(strconv.FormatFloat(float64(value), 'g', -1, 32), 64)
	if err != nil {
		return float64(value)
	}
	return wide
}

// appendFloat writes a number as JavaScript does: the shortest text that reads as the same one. JSON has no NaN and no infinity.
func appendFloat(line []byte, value float64) []byte {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return append(line, "null"...)
	}
	if size := math.Abs(value); size == 0 || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(line, value, 'f', -1, 64)
	}
	return append(line, strings.Replace(strconv.FormatFloat(value, 'e', -1, 64), "e-0", "e-", 1)...)
}

const hex = "0123456789abcdef"

// appendText writes text in quotes; only what JSON cannot have in a text is escaped.
func appendText(line []byte, text string) []byte {
	line = append(line, '"')
	start := 0
	for i := range len(text) {
		letter := text[i]
		if letter >= ' ' && letter != '"' && letter != '\\' {
			continue
		}
		line = append(line, text[start:i]...)
		start = i + 1
		switch letter {
		case '"', '\\':
			line = append(line, '\\', letter)
		case '\n':
			line = append(line, `\n`...)
		case '\r':
			line = append(line, `\r`...)
		case '\t':
			line = append(line, `\t`...)
		default:
			line = append(line, '\\', 'u', '0', '0', hex[letter>>4], hex[letter&15])
		}
	}
	return append(append(line, text[start:]...), '"')
}
