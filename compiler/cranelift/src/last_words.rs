//! How the process ends when it cannot go on: out of memory, or by a defect of its own. Its parent gets the
//! same line of JSON as for any other error.
use hallows_compiler::CompileError;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

/// The memory limit, for the message.
static LIMIT_BYTES: AtomicU64 = AtomicU64::new(0);

/// Exit status when memory ran out.
const OUT_OF_MEMORY_STATUS: i32 = 3;
/// Exit status after a panic.
const PANIC_STATUS: i32 = 4;

/// The system's allocator, but a failure ends the process with a word why: an abort would look like a crash.
struct Limited;

#[global_allocator]
static ALLOCATOR: Limited = Limited;

// SAFETY: every method is the system allocator's; a null result never reaches the caller.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the system allocator's.
        or_end(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        or_end(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above; `pointer` came from the system allocator.
        or_end(unsafe { System.realloc(pointer, layout, new_size) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn or_end(pointer: *mut u8) -> *mut u8 {
    if pointer.is_null() {
        out_of_memory();
    }
    pointer
}

/// Writes the line of [`CompileError::OutOfMemory`] without allocating.
#[cold]
fn out_of_memory() -> ! {
    let mut line = [0u8; 128];
    let mut rest = line.as_mut_slice();
    let limit = LIMIT_BYTES.load(Ordering::SeqCst);
    let room = rest.len();
    // The line is shorter than the buffer.
    let _ = writeln!(rest, "{{\"error\":\"out-of-memory\",\"limit_bytes\":{limit}}}");
    let used = room - rest.len();
    end(&line[..used], OUT_OF_MEMORY_STATUS)
}

/// Writes to standard error and ends the process at once, running nothing else.
fn end(line: &[u8], status: i32) -> ! {
    // SAFETY: `line` is readable for its length; the result does not matter any more.
    unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
    // SAFETY: ends the process; no destructor of it holds anything outside.
    unsafe { libc::_exit(status) }
}

/// From here on, panics and exhausted memory end the process with a line of JSON.
pub(crate) fn prepare(limit_bytes: u64) {
    LIMIT_BYTES.store(limit_bytes, Ordering::SeqCst);
    std::panic::set_hook(Box::new(|panic| {
        let how = panic.to_string().replace('\n', " ");
        end(CompileError::Crashed { how }.to_line().as_bytes(), PANIC_STATUS);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_written_without_memory_is_the_errors_line() {
        let expected = CompileError::OutOfMemory { limit_bytes: 12 };
        assert_eq!(expected.to_line(), format!("{{\"error\":\"out-of-memory\",\"limit_bytes\":{}}}\n", 12));
    }
}
