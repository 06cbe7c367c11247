package stage

import "math/bits"

// Mask is one bit a row.
type Mask struct {
	bits []byte
	rows int
}

// NewMask is a mask of so many rows, none set.
func NewMask(rows int) Mask { return Mask{bits: make([]byte, (rows+7)/8), rows: rows} }

// MaskOf is a mask of booleans.
func MaskOf(set ...bool) Mask {
	mask := NewMask(len(set))
	for row, set := range set {
		if set {
			mask.Set(row)
		}
	}
	return mask
}

// Rows is how many rows it speaks of.
func (m Mask) Rows() int { return m.rows }

// Set sets a row's bit.
func (m Mask) Set(row int) { m.bits[row>>3] |= 1 << (row & 7) }

// Clear takes a row's bit away.
func (m Mask) Clear(row int) { m.bits[row>>3] &^= 1 << (row & 7) }

// Has is whether a row's bit is set.
func (m Mask) Has(row int) bool { return m.bits[row>>3]&(1<<(row&7)) != 0 }

// Count is how many rows are set.
func (m Mask) Count() int {
	count := 0
	for i, b := range m.bits {
		if i == len(m.bits)-1 && m.rows&7 != 0 {
			b &= 1<<(m.rows&7) - 1
		}
		count += bits.OnesCount8(b)
	}
	return count
}

// Bytes are the bits, least significant first; not a copy.
func (m Mask) Bytes() []byte { return m.bits }
