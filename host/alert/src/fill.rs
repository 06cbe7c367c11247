//! The values of `${...}`, put in just before they are used.

use sluicebox_model::alert::{AlertTarget, Smtp};

/// The target with its `${...}` filled in by `fill`, which is given each text that may hold some.
///
/// # Errors
/// What `fill` says; the way is put before it.
pub fn filled(
    target: &AlertTarget,
    fill: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<AlertTarget, String> {
    match target {
        AlertTarget::Webhook { url } => {
            // A file ends with a newline, which is no part of the address.
            let url = fill(url).map_err(|why| format!("the address of the webhook cannot be filled in: {why}"))?;
            Ok(AlertTarget::Webhook { url: url.trim().to_owned() })
        }
        AlertTarget::Command { argv } => {
            let mut word = |word: &String| {
                let filled = fill(word).map_err(|why| format!("the command cannot be filled in: {why}"))?;
                // A file ends with a newline, which is no part of the argument; what stands there itself is left as it is.
                Ok(if filled == *word { filled } else { filled.trim_end_matches(['\r', '\n']).to_owned() })
            };
            Ok(AlertTarget::Command { argv: argv.iter().map(&mut word).collect::<Result<_, String>>()? })
        }
        AlertTarget::Email { .. } => Ok(target.clone()),
    }
}

/// The mail server with its `${...}` filled in by `fill`.
///
/// # Errors
/// What `fill` says; the key is put before it.
pub fn filled_smtp(smtp: &Smtp, fill: &mut dyn FnMut(&str) -> Result<String, String>) -> Result<Smtp, String> {
    let mut each = |key: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => match fill(text) {
            Ok(value) => Ok(Some(value.trim_end_matches(['\r', '\n']).to_owned())),
            Err(why) => Err(format!("`{key}` of `[smtp]` cannot be filled in: {why}")),
        },
    };
    let user = each("user", &smtp.user)?;
    let password = each("password", &smtp.password)?;
    Ok(Smtp { user, password, ..smtp.clone() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn secrets_are_filled_in() {
        let mut fill = |text: &str| match text {
            "${file:a}" => Ok("https://example.org/x\n".to_owned()),
            "${env:PASSWORD}" => Ok(" secret \n".to_owned()),
            "${env:NONE}" => Err("the environment variable NONE is not set".to_owned()),
            plain => Ok(plain.to_owned()),
        };
        let webhook = |url: &str| AlertTarget::Webhook { url: url.into() };
        assert_eq!(filled(&webhook("${file:a}"), &mut fill).unwrap(), webhook("https://example.org/x"));
        let told = filled(&webhook("${env:NONE}"), &mut fill).unwrap_err();
        assert!(told.contains("NONE is not set"), "{told}");
        let command = |word: &str| AlertTarget::Command { argv: vec!["notify".into(), word.into()] };
        assert_eq!(filled(&command("${env:PASSWORD}"), &mut fill).unwrap(), command(" secret "));
        assert_eq!(filled(&command("as it is\n"), &mut fill).unwrap(), command("as it is\n"));
        let told = filled(&command("${env:NONE}"), &mut fill).unwrap_err();
        assert!(told.contains("the command") && told.contains("NONE is not set"), "{told}");
        let smtp = |password: &str| Smtp {
            server: "smtp://localhost".into(),
            from: "a@b".into(),
            user: Some("me".into()),
            password: Some(password.into()),
        };
        assert_eq!(filled_smtp(&smtp("${env:PASSWORD}"), &mut fill).unwrap(), smtp(" secret "));
        assert!(filled_smtp(&smtp("${env:NONE}"), &mut fill).unwrap_err().contains("`password` of `[smtp]`"));
        assert!(!format!("{:?}", smtp("secret")).contains("secret"));
    }
}
