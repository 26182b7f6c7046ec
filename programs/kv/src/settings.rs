//! Arguments: settings by redis' names.

use hallows::{Error, Start, log};
use hallows_kv_engine::Config;

/// The settings that the arguments say.
///
/// # Errors
///
/// [`Error::BadArgument`], which the log explains.
pub fn read(start: &Start<'_>) -> Result<Config, Error> {
    let mut config = Config::default();
    for argument in start.info().arguments() {
        let Some((name, value)) = argument.split_once('=') else {
            log!("the argument `{argument}` is no setting: write it as maxmemory=64mb");
            return Err(Error::BadArgument);
        };
        if let Err(why) = config.set(name, value) {
            log!("{argument}: {why}");
            return Err(Error::BadArgument);
        }
    }
    Ok(config)
}
