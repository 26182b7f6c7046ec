//! An ordinary static program: what a C compiler makes of an (almost) empty `main`, libc and its start-up included.

use std::os::fd::RawFd;
use std::process::Command;

use crate::error::BenchError;

/// `main` reads the time-stamp counter first of all; with a descriptor it writes the eight bytes there.
const SOURCE: &str = r#"
#include <unistd.h>
int main(void) {
#ifdef DESCRIPTOR
    unsigned low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    unsigned long long now = (unsigned long long)high << 32 | low;
    return write(DESCRIPTOR, &now, sizeof now) != sizeof now;
#else
    return 0;
#endif
}
"#;

/// Compiles the program with the C compiler of this machine; the bytes of its file.
///
/// # Errors
/// [`BenchError::Unavailable`] if there is no C compiler or no static libc.
pub(super) fn compile(descriptor: Option<RawFd>) -> Result<Vec<u8>, BenchError> {
    let unavailable = || BenchError::Unavailable {
        missing: "a C compiler with a static libc".to_owned(),
        remedy: "install gcc and libc6-dev (Debian, Ubuntu) or their like".to_owned(),
    };
    // One folder for each compilation: two tests may compile at once.
    let name = format!("hallows-bench-static-{}-{}", std::process::id(), descriptor.unwrap_or(-1));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).map_err(BenchError::system("make a temporary folder"))?;
    let (source, program) = (folder.join("main.c"), folder.join("main"));
    let result = std::fs::write(&source, SOURCE)
        .map_err(BenchError::system("write a temporary file"))
        .and_then(|()| {
            let mut compiler = Command::new("cc");
            compiler.args(["-O2", "-static", "-o"]).arg(&program).arg(&source);
            compiler.args(descriptor.map(|descriptor| format!("-DDESCRIPTOR={descriptor}")));
            let output = compiler.output().map_err(|_| unavailable())?;
            if !output.status.success() {
                return Err(unavailable());
            }
            std::fs::read(&program).map_err(BenchError::system("read a compiled program"))
        });
    // What stays behind in the temporary directory harms nobody.
    let _ = std::fs::remove_dir_all(&folder);
    result
}
