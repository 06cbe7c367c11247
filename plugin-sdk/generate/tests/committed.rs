//! What is committed is what the contract makes it.

#[test]
fn nothing_is_stale() -> anyhow::Result<()> {
    let stale = sluicebox_generate::stale(&sluicebox_generate::repository())?;
    assert!(stale.is_empty(), "run `cargo run -p sluicebox-generate`: {stale:#?}");
    Ok(())
}
