//! What the compiler is asked: a pair of [`Request::to_arguments`] and [`Request::parse`].
use crate::{Limit, Limits};
use hallows_artifact::Settings;

/// A request to compile one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to compile for.
    pub settings: Settings,
    /// What to allow.
    pub limits: Limits,
    /// Threads to compile with; the artefact does not depend on it.
    pub threads: u32,
}

/// Arguments that are no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// One that is not known, or without its value.
    #[error("`{0}` is not an argument of the compiler, or its value is missing")]
    Unknown(String),
    /// One whose value is wrong.
    #[error("`{argument}`: {message}")]
    Value {
        /// The argument.
        argument: String,
        /// What is wrong.
        message: String,
    },
}

impl Request {
    /// The arguments that make the compiler read from standard input and write to standard output.
    pub fn to_arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--settings".into(), self.settings.to_canonical()];
        arguments.extend(["--threads".into(), self.threads.to_string()]);
        for (limit, value) in self.limits.changed() {
            arguments.extend(["--limit".into(), format!("{limit}={value}")]);
        }
        arguments
    }

    /// Reads such arguments.
    ///
    /// # Errors
    /// [`ArgumentError`] names the first that is wrong.
    pub fn parse(arguments: &[String]) -> Result<Request, ArgumentError> {
        let (mut settings, mut limits, mut threads) = (None, Limits::DEFAULT, 1);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let value = rest.next().ok_or_else(|| ArgumentError::Unknown(argument.clone()))?;
            let wrong = |message: String| ArgumentError::Value { argument: argument.clone(), message };
            match argument.as_str() {
                "--settings" => {
                    settings =
                        Some(Settings::parse_canonical(value).map_err(|error| wrong(error.to_string()))?);
                }
                "--threads" => {
                    threads = value.parse().map_err(|_| wrong("not a number of threads".into()))?
                }
                "--limit" => {
                    let (limit, value) = Request::parse_limit(value).map_err(wrong)?;
                    limits = limits.with(limit, value);
                }
                _ => return Err(ArgumentError::Unknown(argument.clone())),
            }
        }
        let settings = settings.ok_or_else(|| ArgumentError::Unknown("--settings".into()))?;
        Ok(Request { settings, limits, threads })
    }

    /// Reads `name=value`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse_limit(text: &str) -> Result<(Limit, u64), String> {
        let (name, value) = text.split_once('=').ok_or("expected name=value")?;
        let limit = Limit::from_name(name).ok_or_else(|| {
            let names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
            format!("no limit is called `{name}`; there are {}", names.join(", "))
        })?;
        let value = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
        Ok((limit, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallows_artifact::{CpuFeatures, Platform};

    #[test]
    fn a_request_round_trips_through_arguments() {
        let request = Request {
            settings: Settings::new(Platform::Metal, CpuFeatures::BASELINE).unwrap(),
            limits: Limits::DEFAULT.with(Limit::Functions, 3).with(Limit::WallSeconds, 9),
            threads: 2,
        };
        let arguments = request.to_arguments();
        assert_eq!(Request::parse(&arguments), Ok(request));
        assert!(Request::parse(&arguments[2..]).is_err());
        assert!(Request::parse(&arguments[..1]).is_err());
    }

    #[test]
    fn a_wrong_limit_is_answered_with_the_right_ones() {
        assert!(Request::parse_limit("speed=3").unwrap_err().contains("source-bytes"));
        assert!(Request::parse_limit("types=many").unwrap_err().contains("not a number"));
        assert_eq!(Request::parse_limit("types=4"), Ok((Limit::Types, 4)));
    }
}
