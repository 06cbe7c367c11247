//! The tables, and how an older database becomes one of today.

use crate::error::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// One step each; the database's `user_version` says how many of them it has had.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
];

/// "SLBX": marks the file as ours.
const APPLICATION_ID: i32 = 0x534c_4258;

/// Brings the database up to date. Two processes that do it at once do it once.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let database = |error: rusqlite::Error| StoreError::database(path, &error);
    let version = |connection: &Connection| -> Result<i64, rusqlite::Error> {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0))
    };
    let newest = MIGRATIONS.len() as i64;
    if version(connection).map_err(database)? == newest {
        return check_ours(connection, path);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database)?;
    let mut at = version(&transaction).map_err(database)?;
    if at == 0 {
        let tables: i64 = transaction
            .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
            .map_err(database)?;
        if tables > 0 {
            return Err(not_ours(path));
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(database)?;
    } else {
        check_ours(&transaction, path)?;
    }
    if at > newest {
        let reason = format!(
            "was made by a later sluicebox (its tables are version {at}, this one knows {newest}); use that one"
        );
        return Err(StoreError::Foreign { path: path.to_owned(), reason });
    }
    while let Some(step) = usize::try_from(at).ok().and_then(|at| MIGRATIONS.get(at)) {
        transaction.execute_batch(step).map_err(database)?;
        at += 1;
    }
    transaction.pragma_update(None, "user_version", at).map_err(database)?;
    transaction.commit().map_err(database)
}

fn check_ours(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let id: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| StoreError::database(path, &error))?;
    if id == APPLICATION_ID { Ok(()) } else { Err(not_ours(path)) }
}

fn not_ours(path: &Path) -> StoreError {
    let reason = "is a database of something else; choose another folder for the store".to_owned();
    StoreError::Foreign { path: path.to_owned(), reason }
}
