package memory

import (
	"encoding/binary"
	"fmt"
	unicode "unicode/utf8"

	"sluicebox.dev/stage/internal/host"
)

// Columns are held in the raw form: Bits, FixedBytes or VariableBytes.

func bitBytes(rows uint32) int { return int((uint64(rows) + 7) / 8) }

func bit(bits []byte, row uint32) bool { return bits[row>>3]&(1<<(row&7)) != 0 }

func all(rows uint32) []uint32 {
	out := make([]uint32, rows)
	for row := range out {
		out[row] = uint32(row)
	}
	return out
}

// width is the bytes of a row of a type, 0 where there are none.
func width(t uint8) int {
	return [...]int{0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 0, 0, 4, 8, 16, 0}[min(t, other)]
}

// typed is the case of a type's values in the typed form.
func typed(t uint8) host.Tag {
	switch t {
	case date32:
		return host.Int32
	case timestamp:
		return host.Int64
	case decimal128:
		return host.FixedBytes
	case utf8, blob:
		return host.Variable
	default:
		return host.Tag(t)
	}
}

// taken holds a column to the rules, and makes it raw; else it says why not.
func taken(field host.Field, column host.Column, rows uint32) (host.Column, string) {
	if column.Validity != nil && len(column.Validity) != bitBytes(rows) {
		return column, fmt.Sprintf("the validity has %d bytes; %d rows need %d", len(column.Validity), rows, bitBytes(rows))
	}
	for row := range rows {
		if column.Validity != nil && !field.Nullable && !bit(column.Validity, row) {
			return column, fmt.Sprintf("row %d is null, but the field is not nullable", row)
		}
	}
	raw := typed(field.Type)
	switch {
	case field.Type >= other:
		return column, "its type is carried by handle or as an Arrow IPC stream only"
	case field.Type == boolean:
		if column.Tag != host.Bits || len(column.Data) != bitBytes(rows) {
			return column, fmt.Sprintf("%d bytes of bits are not %d rows", len(column.Data), rows)
		}
	case raw == host.Variable && column.Tag == host.Texts && field.Type == utf8:
		return ofTexts(field, column.Texts, rows)
	case raw == host.Variable:
		if column.Tag != host.Variable && column.Tag != host.VariableBytes {
			return column, "the values are not of its type"
		}
		column.Tag = host.VariableBytes
		return column, checkTexts(field, column, rows)
	default:
		if column.Tag != raw && column.Tag != host.FixedBytes {
			return column, "the values are not of its type"
		}
		if len(column.Data) != int(rows)*width(field.Type) {
			return column, fmt.Sprintf("%d bytes are not %d rows", len(column.Data), rows)
		}
		column.Tag = host.FixedBytes
	}
	return column, ""
}

func ofTexts(field host.Field, texts []*string, rows uint32) (host.Column, string) {
	if len(texts) != int(rows) {
		return host.Column{}, fmt.Sprintf("%d texts are not %d rows", len(texts), rows)
	}
	out := empty(field)
	for row, text := range texts {
		if text == nil && !field.Nullable {
			return host.Column{}, fmt.Sprintf("row %d is null, but the field is not nullable", row)
		}
		if text != nil {
			out.data = append(out.data, *text...)
		}
		out.end(text != nil)
	}
	return out.column(), ""
}

func checkTexts(field host.Field, column host.Column, rows uint32) string {
	if len(column.Offsets) != 4*(int(rows)+1) {
		return fmt.Sprintf("%d bytes of offsets are not %d rows", len(column.Offsets), rows)
	}
	before := int32(0)
	for row := range int(rows) + 1 {
		offset := offsetAt(column, row)
		if offset < before || int(offset) > len(column.Data) || row == 0 && offset != 0 {
			return fmt.Sprintf("offset %d is %d", row, offset)
		}
		if field.Type == utf8 && !unicode.Valid(column.Data[before:offset]) {
			return fmt.Sprintf("row %d is not UTF-8", row-1)
		}
		before = offset
	}
	return ""
}

func offsetAt(column host.Column, row int) int32 {
	return int32(binary.LittleEndian.Uint32(column.Offsets[4*row:]))
}

// shown is a column in a form.
func shown(field host.Field, column host.Column, rows uint32, form host.Form) (host.Column, *host.Fault) {
	switch {
	case field.Type == other:
		return column, refused("column %q is carried by handle or as an Arrow IPC stream only", field.Name)
	case form == host.Typed:
		column.Tag = typed(field.Type)
	case form == host.Strings && field.Type != utf8:
		return column, refused("column %q has no strings", field.Name)
	case form == host.Strings:
		texts := make([]*string, rows)
		for row := range texts {
			if column.Validity == nil || bit(column.Validity, uint32(row)) {
				text := string(column.Data[offsetAt(column, row):offsetAt(column, row+1)])
				texts[row] = &text
			}
		}
		return host.Column{Tag: host.Texts, Texts: texts}, nil
	}
	// What a stage gets is its own to change.
	column.Data = append([]byte(nil), column.Data...)
	column.Validity = append([]byte(nil), column.Validity...)
	return column, nil
}

// growing is a column that rows are added to.
type growing struct {
	field         host.Field
	data, offsets []byte
	bits, valid   []byte
	rows          uint32
	nulls         bool
}

func empty(field host.Field) *growing {
	out := &growing{field: field}
	if typed(field.Type) == host.Variable {
		out.offsets = make([]byte, 4)
	}
	return out
}

func appendBit(bits []byte, row uint32, set bool) []byte {
	if row&7 == 0 {
		bits = append(bits, 0)
	}
	if set {
		bits[row>>3] |= 1 << (row & 7)
	}
	return bits
}

func (g *growing) end(valid bool) {
	if g.offsets != nil {
		g.offsets = binary.LittleEndian.AppendUint32(g.offsets, uint32(len(g.data)))
	}
	g.valid = appendBit(g.valid, g.rows, valid)
	g.nulls = g.nulls || !valid
	g.rows++
}

func (g *growing) append(column host.Column, rows []uint32) {
	size := uint32(width(g.field.Type))
	for _, row := range rows {
		switch {
		case g.offsets != nil:
			g.data = append(g.data, column.Data[offsetAt(column, int(row)):offsetAt(column, int(row)+1)]...)
		case g.field.Type == boolean:
			g.bits = appendBit(g.bits, g.rows, bit(column.Data, row))
		default:
			g.data = append(g.data, column.Data[row*size:(row+1)*size]...)
		}
		g.end(column.Validity == nil || bit(column.Validity, row))
	}
}

func (g *growing) column() host.Column {
	out := host.Column{Tag: host.FixedBytes, Data: g.data}
	if g.offsets != nil {
		out.Tag, out.Offsets = host.VariableBytes, g.offsets
	} else if g.field.Type == boolean {
		out.Tag, out.Data = host.Bits, g.bits
	}
	if g.nulls {
		out.Validity = g.valid
	}
	return out
}

func gathered(field host.Field, column host.Column, rows []uint32) host.Column {
	out := empty(field)
	out.append(column, rows)
	return out.column()
}
