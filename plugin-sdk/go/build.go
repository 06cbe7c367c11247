package stage

import (
	"math"
	"slices"

	"sluicebox.dev/stage/internal/host"
)

// bitmap grows a bit at a time.
type bitmap struct {
	bits []byte
	rows int
	// Whether any bit is 0.
	gaps bool
}

func (b *bitmap) append(set bool) {
	if b.rows&7 == 0 {
		b.bits = append(b.bits, 0)
	}
	if set {
		b.bits[b.rows>>3] |= 1 << (b.rows & 7)
	} else {
		b.gaps = true
	}
	b.rows++
}

// valid is the bits as validity: nil where there are no nulls.
func (b *bitmap) valid() []byte {
	if !b.gaps {
		return nil
	}
	return b.bits
}

// Builder makes a column of numbers, a row at a time.
type Builder[T Number] struct {
	field  Field
	values []T
	valid  bitmap
}

// NewBuilder makes a builder: NewBuilder[int64](stage.Nullable("n", stage.Int64), rows). The number of rows is a hint.
func NewBuilder[T Number](field Field, rows int) *Builder[T] {
	return &Builder[T]{field: field, values: make([]T, 0, rows), valid: bitmap{bits: make([]byte, 0, (rows+7)/8)}}
}

// Append adds a row.
func (b *Builder[T]) Append(value T) {
	b.values = append(b.values, value)
	b.valid.append(true)
}

// AppendNull adds a row that is null.
func (b *Builder[T]) AppendNull() {
	var zero T
	b.values = append(b.values, zero)
	b.valid.append(false)
}

// Column is the column. The builder is not to be used after it.
func (b *Builder[T]) Column() Column {
	return Vector[T]{validity{b.valid.valid(), b.valid.rows}, b.values}.Column(b.field)
}

// NumberColumn makes a column without nulls of numbers; not a copy.
func NumberColumn[T Number](field Field, values []T) Column {
	return Vector[T]{validity{nil, len(values)}, values}.Column(field)
}

func fits[T Number](field Field) error {
	types := typesOf[T]()
	if !slices.Contains(types, field.Type) {
		return Internal("values of %s cannot be column %q of %s", types[0], field.Name, field.Type)
	}
	return nil
}

// BoolBuilder makes a column of booleans.
type BoolBuilder struct {
	field         Field
	values, valid bitmap
}

// NewBoolBuilder makes a builder; the number of rows is a hint.
func NewBoolBuilder(field Field, rows int) *BoolBuilder {
	bytes := (rows + 7) / 8
	return &BoolBuilder{field, bitmap{bits: make([]byte, 0, bytes)}, bitmap{bits: make([]byte, 0, bytes)}}
}

// Append adds a row.
func (b *BoolBuilder) Append(value bool) {
	b.values.append(value)
	b.valid.append(true)
}

// AppendNull adds a row that is null.
func (b *BoolBuilder) AppendNull() {
	b.values.append(false)
	b.valid.append(false)
}

// Column is the column. The builder is not to be used after it.
func (b *BoolBuilder) Column() Column {
	column := Column{
		Field: b.field, rows: b.values.rows,
		crossed: host.Column{Tag: host.Bits, Data: b.values.bits, Validity: b.valid.valid()},
	}
	if b.field.Type != Boolean {
		column.err = Internal("booleans cannot be column %q of %s", b.field.Name, b.field.Type)
	}
	return column
}

// TextBuilder makes a column of text or bytes.
type TextBuilder struct {
	field   Field
	offsets []int32
	data    []byte
	valid   bitmap
}

// NewTextBuilder makes a builder; the numbers of rows and of bytes in all of them are hints.
func NewTextBuilder(field Field, rows, bytes int) *TextBuilder {
	offsets := make([]int32, 1, rows+1)
	return &TextBuilder{field, offsets, make([]byte, 0, bytes), bitmap{bits: make([]byte, 0, (rows+7)/8)}}
}

// Append adds a row.
func (b *TextBuilder) Append(text string) {
	b.data = append(b.data, text...)
	b.End()
}

// AppendBytes adds a row.
func (b *TextBuilder) AppendBytes(text []byte) {
	b.data = append(b.data, text...)
	b.End()
}

// AppendNull adds a row that is null; what was written to it is lost.
func (b *TextBuilder) AppendNull() {
	b.data = b.data[:b.offsets[len(b.offsets)-1]]
	b.offsets = append(b.offsets, int32(len(b.data)))
	b.valid.append(false)
}

// Write adds bytes to the row that is being made, which End ends.
func (b *TextBuilder) Write(text []byte) (int, error) {
	b.data = append(b.data, text...)
	return len(text), nil
}

// WriteString adds text to the row that is being made, which End ends.
func (b *TextBuilder) WriteString(text string) (int, error) {
	b.data = append(b.data, text...)
	return len(text), nil
}

// End ends the row that was written.
func (b *TextBuilder) End() {
	b.offsets = append(b.offsets, int32(len(b.data)))
	b.valid.append(true)
}

// Column is the column. The builder is not to be used after it.
func (b *TextBuilder) Column() Column {
	column := Column{
		Field: b.field, rows: b.valid.rows,
		crossed: host.Column{
			Tag: host.VariableBytes, Offsets: bytesOf(b.offsets), Data: b.data, Validity: b.valid.valid(),
		},
	}
	if b.field.Type != UTF8 && b.field.Type != Binary {
		column.err = Internal("text cannot be column %q of %s", b.field.Name, b.field.Type)
	} else if len(b.data) > math.MaxInt32 {
		column.err = InvalidData("column %q is over 2 GiB in one batch; make smaller batches", b.field.Name)
	}
	return column
}

// TextColumn makes a column without nulls of texts.
func TextColumn(field Field, texts []string) Column {
	bytes := 0
	for _, text := range texts {
		bytes += len(text)
	}
	builder := NewTextBuilder(field, len(texts), bytes)
	for _, text := range texts {
		builder.Append(text)
	}
	return builder.Column()
}
