//! From text to syntax, within bounds that no text can break.

use sqlparser::{
    ast::{self, DataType, ExactNumberInfo, TimezoneInfo},
    dialect::GenericDialect,
    parser::{Parser, ParserError},
    tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer},
};

use crate::{ExpressionError, types::Type};

/// Bytes of the longest expression.
const LONGEST: usize = 1 << 20;
/// Words and signs in one expression; what commas part counts for nothing, so that long IN lists are possible.
const WORDS: i64 = 4000;
/// Levels of brackets, calls and cases inside one another.
const LEVELS: usize = 50;

pub(crate) fn expression(text: &str) -> Result<ast::Expr, ExpressionError> {
    let tokens = tokens(text)?;
    let mut parser = Parser::new(&GenericDialect {}).with_recursion_limit(LEVELS).with_tokens_with_locations(tokens);
    let expression = parser.parse_expr().map_err(|error| syntax(error, text))?;
    let next = parser.peek_token();
    match next.token {
        Token::EOF => Ok(expression),
        token => {
            let error = ExpressionError::new("the expression ends before this", next.span);
            Err(match token {
                Token::SemiColon => error.help("leave out the `;`"),
                Token::Word(word) if word.value.eq_ignore_ascii_case("as") => {
                    error.help("the name of a column stands on the left: columns = { name = \"expression\" }")
                }
                _ => error.help("an operator or a comma may be missing"),
            })
        }
    }
}

/// A type as in a CAST.
pub(crate) fn data_type(text: &str) -> Result<Type, ExpressionError> {
    let tokens = tokens(text)?;
    let mut parser = Parser::new(&GenericDialect {}).with_recursion_limit(LEVELS).with_tokens_with_locations(tokens);
    let data_type = parser.parse_data_type().map_err(|error| syntax(error, text))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        return Err(ExpressionError::new("the type ends before this", next.span).help(TYPES));
    }
    let first = Location::new(1, 1);
    type_of(&data_type).map_err(|message| ExpressionError::at(message, first).help(TYPES))
}

fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, ExpressionError> {
    if text.len() > LONGEST {
        let message = format!("the expression has {} bytes, {LONGEST} are the most", text.len());
        return Err(ExpressionError::new(message, Span::empty()));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| ExpressionError::at(error.message, error.location))?;
    if tokens.iter().all(|token| matches!(token.token, Token::Whitespace(_) | Token::EOF)) {
        return Err(ExpressionError::new("the expression is empty", Span::empty()));
    }
    // A comma makes room for itself and a literal.
    let mut words = 0i64;
    for token in &tokens {
        match token.token {
            Token::Comma => words -= 1,
            Token::Whitespace(_) | Token::EOF => {}
            _ => words += 1,
        }
        if words > WORDS {
            let message = format!("the expression is too long: it has more than {WORDS} words and signs");
            return Err(ExpressionError::new(message, token.span).help("split it over two stages"));
        }
    }
    Ok(tokens)
}

/// sqlparser tells the place at the end of its message.
fn syntax(error: ParserError, text: &str) -> ExpressionError {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return ExpressionError::new(
                format!("the expression is nested too deeply: more than {LEVELS} levels"),
                Span::empty(),
            )
            .help("split it over two stages");
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let (message, place) = message.split_once(" at Line: ").unwrap_or((&message, ""));
    let (line, column) = place.split_once(", Column: ").unwrap_or_default();
    let location = match (line.trim().parse(), column.trim().parse()) {
        (Ok(line), Ok(column)) => Location::new(line, column),
        _ => end(text),
    };
    let message = message
        .strip_prefix("Expected: ")
        .map_or_else(|| message.to_owned(), |expected| format!("here is expected: {expected}"));
    ExpressionError::at(message.replace("found: EOF", "found the end"), location)
}

/// The place behind the last character.
fn end(text: &str) -> Location {
    let last = text.lines().last().unwrap_or("");
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Location::new(count(text.lines().count().max(1)), count(last.chars().count() + 1))
}

/// The names of types, for messages.
pub(crate) const TYPES: &str = "the types are boolean, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, \
decimal(precision, scale), utf8, binary, date, timestamp and timestamptz; also smallint, int, bigint, real, double, text, varchar";

/// `int8` is the type of 8 bits everywhere in sluicebox, not Postgres's of 8 bytes.
pub(crate) fn type_of(ty: &DataType) -> Result<Type, String> {
    use DataType as T;
    Ok(match ty {
        T::Boolean | T::Bool => Type::Boolean,
        T::Int8(None) | T::TinyInt(_) => Type::Int8,
        T::Int16 | T::SmallInt(_) => Type::Int16,
        T::Int32 | T::Int(_) | T::Integer(_) | T::MediumInt(_) => Type::Int32,
        T::Int64 | T::BigInt(_) => Type::Int64,
        T::UInt8 | T::UTinyInt | T::TinyIntUnsigned(_) => Type::UInt8,
        T::UInt16 | T::USmallInt | T::SmallIntUnsigned(_) => Type::UInt16,
        T::UInt32 | T::IntUnsigned(_) | T::IntegerUnsigned(_) => Type::UInt32,
        T::UInt64 | T::UBigInt | T::BigIntUnsigned(_) => Type::UInt64,
        T::Float32 | T::Real => Type::Float32,
        T::Float64 | T::Double(_) | T::DoublePrecision | T::Float(ExactNumberInfo::None) => Type::Float64,
        T::Text
        | T::String(_)
        | T::Varchar(None)
        | T::Nvarchar(None)
        | T::CharacterVarying(None)
        | T::CharVarying(None) => Type::Utf8,
        T::Binary(None) | T::Varbinary(None) | T::Blob(_) | T::Bytea | T::Bytes(_) => Type::Binary,
        T::Date | T::Date32 => Type::Date,
        T::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) | T::Datetime(_) | T::TimestampNtz(_) => {
            Type::Timestamp(None)
        }
        T::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => Type::Timestamp(Some("UTC".to_owned())),
        T::Decimal(info) | T::Numeric(info) | T::Dec(info) => decimal(info)?,
        T::Int2(_) | T::Int4(_) => {
            return Err("int2 and int4 are no types here: write int16 or int32, named by their bits".to_owned());
        }
        T::Float4 | T::Float8 => {
            return Err("float4 and float8 are no types here: write float32 or float64, named by their bits".to_owned());
        }
        T::Custom(name, modifiers) => match (name_of(name).as_str(), modifiers.as_slice()) {
            ("utf8", []) => Type::Utf8,
            ("decimal128", [precision, scale]) => match (precision.parse(), scale.parse()) {
                (Ok(precision), Ok(scale)) => decimal(&ExactNumberInfo::PrecisionAndScale(precision, scale))?,
                _ => return Err("decimal128 takes a precision and a scale".to_owned()),
            },
            (name, _) => return Err(format!("`{name}` is not a type")),
        },
        T::Varchar(Some(_))
        | T::Nvarchar(Some(_))
        | T::CharacterVarying(Some(_))
        | T::CharVarying(Some(_))
        | T::Char(_)
        | T::Character(_) => {
            return Err("texts have no greatest length here: write utf8, and left(column, n) to cut".to_owned());
        }
        _ => return Err("this type is not known here".to_owned()),
    })
}

/// A name in small letters. Written out by hand, as sqlparser's own text of it would bring in that of every statement
/// (a quarter of a megabyte).
pub(crate) fn name_of(name: &ast::ObjectName) -> String {
    let parts: Vec<&str> = name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str()).collect();
    parts.join(".").to_ascii_lowercase()
}

fn decimal(info: &ExactNumberInfo) -> Result<Type, String> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => (38, 10),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale @ 0..=38)) if scale.unsigned_abs() <= precision => {
            Ok(Type::Decimal(precision, scale))
        }
        _ => Err(format!(
            "decimal({precision},{scale}): a precision of 1 to 38 and a scale of 0 to the precision are possible"
        )),
    }
}
