//go:build wasip1

package guest

import (
	"sluicebox.dev/stage/internal/host"
	"sluicebox.dev/stage/internal/wit/sluicebox_stage_batches"
	"sluicebox.dev/stage/internal/wit/types"
)

func column(from sluicebox_stage_batches.Column) host.Column {
	out := host.Column{Tag: host.Tag(from.Values.Tag())}
	if from.Validity.IsSome() {
		out.Validity = from.Validity.Some()
	}
	values := from.Values
	switch out.Tag {
	case host.Bits:
		out.Data = values.Bits()
	case host.Int8:
		out.Data = see[byte](values.Int8())
	case host.Int16:
		out.Data = see[byte](values.Int16())
	case host.Int32:
		out.Data = see[byte](values.Int32())
	case host.Int64:
		out.Data = see[byte](values.Int64())
	case host.Uint8:
		out.Data = values.Uint8()
	case host.Uint16:
		out.Data = see[byte](values.Uint16())
	case host.Uint32:
		out.Data = see[byte](values.Uint32())
	case host.Uint64:
		out.Data = see[byte](values.Uint64())
	case host.Float32:
		out.Data = see[byte](values.Float32())
	case host.Float64:
		out.Data = see[byte](values.Float64())
	case host.Variable:
		variable := values.Variable()
		out.Offsets, out.Data = see[byte](variable.Offsets), variable.Data
	case host.FixedBytes:
		out.Data = values.FixedBytes()
	case host.VariableBytes:
		variable := values.VariableBytes()
		out.Offsets, out.Data = variable.Offsets, variable.Data
	case host.Texts:
		texts := values.Strings()
		out.Texts = make([]*string, len(texts))
		for i, text := range texts {
			out.Texts[i] = Pointer(text)
		}
	}
	return out
}

func crossColumns(columns []host.Column) []sluicebox_stage_batches.Column {
	out := make([]sluicebox_stage_batches.Column, len(columns))
	for i, column := range columns {
		out[i] = sluicebox_stage_batches.Column{Values: crossValues(column), Validity: wit_types.None[[]uint8]()}
		if column.Validity != nil {
			out[i].Validity = wit_types.Some(column.Validity)
		}
	}
	return out
}

func crossValues(column host.Column) sluicebox_stage_batches.Values {
	switch column.Tag {
	case host.Bits:
		return sluicebox_stage_batches.MakeValuesBits(column.Data)
	case host.Int8:
		return sluicebox_stage_batches.MakeValuesInt8(see[int8](column.Data))
	case host.Int16:
		return sluicebox_stage_batches.MakeValuesInt16(see[int16](column.Data))
	case host.Int32:
		return sluicebox_stage_batches.MakeValuesInt32(see[int32](column.Data))
	case host.Int64:
		return sluicebox_stage_batches.MakeValuesInt64(see[int64](column.Data))
	case host.Uint8:
		return sluicebox_stage_batches.MakeValuesUint8(column.Data)
	case host.Uint16:
		return sluicebox_stage_batches.MakeValuesUint16(see[uint16](column.Data))
	case host.Uint32:
		return sluicebox_stage_batches.MakeValuesUint32(see[uint32](column.Data))
	case host.Uint64:
		return sluicebox_stage_batches.MakeValuesUint64(see[uint64](column.Data))
	case host.Float32:
		return sluicebox_stage_batches.MakeValuesFloat32(see[float32](column.Data))
	case host.Float64:
		return sluicebox_stage_batches.MakeValuesFloat64(see[float64](column.Data))
	case host.Variable:
		return sluicebox_stage_batches.MakeValuesVariable(
			sluicebox_stage_batches.Variable{Offsets: see[int32](column.Offsets), Data: column.Data})
	case host.VariableBytes:
		return sluicebox_stage_batches.MakeValuesVariableBytes(
			sluicebox_stage_batches.VariableBytes{Offsets: column.Offsets, Data: column.Data})
	case host.Texts:
		texts := make([]wit_types.Option[string], len(column.Texts))
		for i, text := range column.Texts {
			texts[i] = Option(text)
		}
		return sluicebox_stage_batches.MakeValuesStrings(texts)
	default:
		return sluicebox_stage_batches.MakeValuesFixedBytes(column.Data)
	}
}
