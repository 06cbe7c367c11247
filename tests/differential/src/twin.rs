//! Both sides evaluated.

use datafusion::{
    arrow::array::RecordBatch,
    common::DFSchema,
    execution::context::{SessionConfig, SessionContext},
};
use sluicebox_expression::Expression;
use sluicebox_stage::Batch;

use crate::cell::{self, Cell};

/// Our answer, or why there is none.
///
/// # Errors
/// Where it cannot be planned or evaluated.
pub fn ours(text: &str, batch: &Batch) -> Result<Vec<Cell>, String> {
    let expression = Expression::plan(text, batch.schema()).map_err(|error| error.to_string())?;
    let column = expression.evaluate(batch).map_err(|fault| fault.to_string())?;
    let field = expression.field("answer");
    assert!(field.nullable || column.null_count() == 0, "{text} says that it has no nulls, and has");
    // A column has to pass the host's checks.
    let fields = sluicebox_stage::Schema::new([field.clone()]);
    Batch::from_columns(fields, vec![column.clone()]).map_err(|fault| format!("the host refuses it: {fault}"))?;
    Ok(cell::ours(&field, &column))
}

/// DataFusion, ready.
pub struct DataFusion {
    context: SessionContext,
    schema: DFSchema,
}

impl DataFusion {
    /// For batches of this schema.
    ///
    /// # Errors
    /// Where DataFusion does not take the schema.
    pub fn new(batch: &RecordBatch) -> Result<Self, String> {
        let config = SessionConfig::new().set_str("datafusion.sql_parser.dialect", "generic");
        let schema = DFSchema::try_from(batch.schema()).map_err(|error| error.to_string())?;
        Ok(Self { context: SessionContext::new_with_config(config), schema })
    }

    /// DataFusion's answer, or why there is none.
    ///
    /// # Errors
    /// Where it cannot be planned or evaluated.
    pub fn evaluate(&self, text: &str, batch: &RecordBatch) -> Result<Vec<Cell>, String> {
        // DataFusion panics at some arguments, e.g. lpad to a negative length with a text to fill up with.
        let evaluated = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.answer(text, batch)));
        evaluated.unwrap_or_else(|_| Err("it panics".to_owned()))
    }

    fn answer(&self, text: &str, batch: &RecordBatch) -> Result<Vec<Cell>, String> {
        let fail = |error: datafusion::error::DataFusionError| error.strip_backtrace();
        let expression = self.context.parse_sql_expr(text, &self.schema).map_err(fail)?;
        // Not optimised: that unwraps casts in comparisons, and then answers otherwise (cast(k as bigint) in (3)).
        let physical = self.context.create_physical_expr(expression, &self.schema).map_err(fail)?;
        let value = physical.evaluate(batch).map_err(fail)?;
        let array = value.into_array(batch.num_rows()).map_err(fail)?;
        Ok(cell::theirs(&array))
    }
}
