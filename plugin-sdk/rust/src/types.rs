//! Types of columns, fields and schemas.

use std::fmt;

/// An Arrow logical type, as the contract names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataType {
    /// true or false
    Boolean,
    /// 8 bits, signed
    Int8,
    /// 16 bits, signed
    Int16,
    /// 32 bits, signed
    Int32,
    /// 64 bits, signed
    Int64,
    /// 8 bits, unsigned
    Uint8,
    /// 16 bits, unsigned
    Uint16,
    /// 32 bits, unsigned
    Uint32,
    /// 64 bits, unsigned
    Uint64,
    /// 32 bits of IEEE 754
    Float32,
    /// 64 bits of IEEE 754
    Float64,
    /// UTF-8 text
    Utf8,
    /// bytes
    Binary,
    /// days since 1970-01-01
    Date32,
    /// microseconds since 1970-01-01T00:00:00; `Field::detail` is the time zone, none = local time
    Timestamp,
    /// 128-bit decimal; `Field::detail` is `"precision,scale"`
    Decimal128,
    /// any other Arrow type: it is passed on by handle or as Arrow IPC, never as values
    Other,
}

impl DataType {
    /// Every type, in the order of the contract.
    pub const ALL: [Self; 17] = [
        Self::Boolean,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Float32,
        Self::Float64,
        Self::Utf8,
        Self::Binary,
        Self::Date32,
        Self::Timestamp,
        Self::Decimal128,
        Self::Other,
    ];

    /// The name as the contract spells it, e.g. `float64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Utf8 => "utf8",
            Self::Binary => "binary",
            Self::Date32 => "date32",
            Self::Timestamp => "timestamp",
            Self::Decimal128 => "decimal128",
            Self::Other => "other",
        }
    }

    /// The type of this name, as [`DataType::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|data_type| data_type.name() == name)
    }

    /// Bytes of one value in memory; none for booleans (bits), text, bytes and other types.
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Int8 | Self::Uint8 => Some(1),
            Self::Int16 | Self::Uint16 => Some(2),
            Self::Int32 | Self::Uint32 | Self::Float32 | Self::Date32 => Some(4),
            Self::Int64 | Self::Uint64 | Self::Float64 | Self::Timestamp => Some(8),
            Self::Decimal128 => Some(16),
            Self::Boolean | Self::Utf8 | Self::Binary | Self::Other => None,
        }
    }

    /// Whether it is a whole number (not a date or timestamp).
    pub fn is_integer(self) -> bool {
        matches!(
            self,
            Self::Int8
                | Self::Int16
                | Self::Int32
                | Self::Int64
                | Self::Uint8
                | Self::Uint16
                | Self::Uint32
                | Self::Uint64
        )
    }

    /// Whether it is a number with a floating point.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column's name and type.
///
/// ```
/// use sluicebox_stage::{DataType, Field};
/// let speed = Field::new("speed", DataType::Float64).not_null();
/// assert_eq!(speed.to_string(), "speed: float64 not null");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Unique within its schema.
    pub name: String,
    /// The type of the values.
    pub data_type: DataType,
    /// false: the column has no nulls, and a batch that holds one there is refused
    pub nullable: bool,
    /// timestamp: the time zone; decimal128: `"precision,scale"`; other: Arrow's name of the type
    pub detail: Option<String>,
}

impl Field {
    /// A field that may hold nulls.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type, nullable: true, detail: None }
    }

    /// A timestamp with a time zone, e.g. `"UTC"` or `"Europe/Berlin"`.
    pub fn timestamp_in(name: impl Into<String>, zone: impl Into<String>) -> Self {
        Self::new(name, DataType::Timestamp).with_detail(zone)
    }

    /// A 128-bit decimal of so many digits in all, `scale` of them behind the point.
    pub fn decimal(name: impl Into<String>, precision: u8, scale: i8) -> Self {
        Self::new(name, DataType::Decimal128).with_detail(format!("{precision},{scale}"))
    }

    /// The same without nulls.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same with this [`Field::detail`].
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Precision and scale of a decimal128, if the detail says so.
    pub fn precision_and_scale(&self) -> Option<(u8, i8)> {
        let (precision, scale) = self.detail.as_deref()?.split_once(',')?;
        Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.data_type)?;
        if let Some(detail) = &self.detail {
            write!(f, "({detail})")?;
        }
        if !self.nullable {
            f.write_str(" not null")?;
        }
        Ok(())
    }
}

/// The columns of a batch in their order. Names are unique.
///
/// ```
/// use sluicebox_stage::{DataType, Field, Schema};
/// let mut schema = Schema::new([Field::new("carrier", DataType::Utf8)]);
/// schema.push(Field::new("distance", DataType::Int64));
/// assert_eq!(schema.index_of("distance"), Some(1));
/// assert_eq!(schema.to_string(), "carrier: utf8, distance: int64");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schema(Vec<Field>);

impl Schema {
    /// A schema of these fields.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// The fields in their order.
    pub fn fields(&self) -> &[Field] {
        &self.0
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The position of the field of this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|field| field.name == name)
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name)
    }

    /// The field at this position.
    pub fn get(&self, index: usize) -> Option<&Field> {
        self.0.get(index)
    }

    /// The names in their order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.0.iter().map(|field| field.name.as_str())
    }

    /// The fields in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.0.iter()
    }

    /// Adds a field behind the others.
    pub fn push(&mut self, field: Field) {
        self.0.push(field);
    }

    /// Puts the field in place of the one of the same name, or behind the others, as
    /// [`Batch::with_columns`](crate::Batch::with_columns) does.
    pub fn put(&mut self, field: Field) {
        match self.0.iter_mut().find(|old| old.name == field.name) {
            Some(old) => *old = field,
            None => self.0.push(field),
        }
    }

    /// The fields themselves.
    pub fn into_fields(self) -> Vec<Field> {
        self.0
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            field.fmt(f)?;
        }
        Ok(())
    }
}

impl From<Vec<Field>> for Schema {
    fn from(fields: Vec<Field>) -> Self {
        Self(fields)
    }
}

impl FromIterator<Field> for Schema {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl IntoIterator for Schema {
    type Item = Field;
    type IntoIter = std::vec::IntoIter<Field>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Schema {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
