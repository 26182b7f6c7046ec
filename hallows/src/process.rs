//! The first moment of a process: it is a machine's, or it may start one.

use hallows_kernel::Policy;
use hallows_linux::host::child::machine_process;
use hallows_linux::machine::paths::NOT_TAKEN;
use hallows_linux::machine::process::{self, ProcessError};
use hallows_sdk::native::NativeProgram;

use crate::embedded;

/// The machine could not be started.
pub const NOT_STARTED: u8 = 71;

/// Makes this executable one that can be a machine. Call it as the first statement of `main`, before anything opens a file or starts a
/// thread, with the native programs that are linked in beside those of hallows.
///
/// In the machine process, which is this executable started again by [`Machine::run`](crate::Machine::run), it runs the machine and ends the
/// process: nothing behind it runs there. In every other process it returns at once; it reads two arguments of the command line and nothing else.
///
/// ```no_run
/// # mod order_book { pub static PROGRAM: hallows::NativeProgram = hallows::NativeProgram {
/// #     name: "order-book", style: hallows_sdk::native::NativeStyle::Main(|| {}) }; }
/// fn main() {
///     hallows::init(&[&order_book::PROGRAM]);
///     // Here only the parent comes by.
/// }
/// ```
///
/// The first call counts: a second one has no effect, since the machine process has begun at the first.
pub fn init(programs: &[&'static NativeProgram]) {
    init_with(programs, &[]);
}

/// [`init`], with scheduling policies of one's own, which a system's description then chooses by their names: `[policies]`, `latency = "NAME"`.
///
/// A policy is a part of the kernel: what it says is checked, but it is trusted to return, soon, and not to panic, which ends the machine.
/// The guide is `docs/policies.md`.
pub fn init_with(programs: &[&'static NativeProgram], policies: &[&'static dyn Policy]) {
    let inherited = machine_process();
    embedded::link(programs, policies);
    let Some(inherited) = inherited else { return };
    let ended = match inherited {
        Ok(inherited) => {
            process::run(inherited, embedded::natives().leak(), &embedded::policies()).map_err(|error| {
                let code = if matches!(error, ProcessError::Paths(_)) { NOT_TAKEN } else { NOT_STARTED };
                (code, error.to_string())
            })
        }
        Err(error) => Err((NOT_STARTED, error.to_string())),
    };
    let code = ended.unwrap_or_else(|(code, error)| {
        eprintln!("hallows: {error}");
        code
    });
    #[expect(
        clippy::exit,
        reason = "the machine has given everything back; the user's `main` must not go on in its process"
    )]
    std::process::exit(i32::from(code))
}
