//! The smallest Linux programs there are: static executables of a dozen instructions, written into memory.
//!
//! No libc, no dynamic linker, one page: no process starts faster, so `posix-spawn-static` is Linux at its best. Layout by the
//! System V ABI, ELF-64 object file format, version 1.5.

use std::os::fd::RawFd;

/// Where the program is mapped: the traditional address of static programs.
const BASE: u64 = 0x40_0000;
/// Size of the file's header.
const FILE_HEADER_BYTES: u16 = 64;
/// Size of the one segment's header.
const SEGMENT_HEADER_BYTES: u16 = 56;
/// Headers come first, then the code.
const CODE_OFFSET: u64 = (FILE_HEADER_BYTES + SEGMENT_HEADER_BYTES) as u64;

/// `exit(0)`.
#[rustfmt::skip]
const EXIT: [u8; 9] = [
    0x6A, 0x3C,             // push 60 (SYS_exit)
    0x58,                   // pop  rax
    0x31, 0xFF,             // xor  edi, edi
    0x0F, 0x05,             // syscall
    0x0F, 0x0B,             // ud2
];

/// A program whose only act is to exit, as the bytes of its file.
pub(super) fn that_exits() -> Vec<u8> {
    image(&EXIT)
}

/// A program that reads the time-stamp counter first of all, writes the eight bytes to `descriptor` and exits.
pub(super) fn that_reports_its_start(descriptor: RawFd) -> Vec<u8> {
    #[rustfmt::skip]
    let mut code = vec![
        0x0F, 0x31,             // rdtsc
        0x48, 0xC1, 0xE2, 0x20, // shl  rdx, 32
        0x48, 0x09, 0xD0,       // or   rax, rdx
        0x50,                   // push rax
        0xBF,                   // mov  edi, descriptor
    ];
    code.extend(descriptor.to_le_bytes());
    #[rustfmt::skip]
    code.extend([
        0x48, 0x89, 0xE6,       // mov  rsi, rsp
        0x6A, 0x08, 0x5A,       // push 8; pop rdx
        0x6A, 0x01, 0x58,       // push 1; pop rax (SYS_write)
        0x0F, 0x05,             // syscall
    ]);
    code.extend(EXIT);
    image(&code)
}

/// A program that writes `hello` to its output and exits.
pub(super) fn that_says_hello() -> Vec<u8> {
    #[rustfmt::skip]
    let mut code = vec![
        0x6A, 0x01, 0x58,       // push 1; pop rax (SYS_write)
        0x89, 0xC7,             // mov  edi, eax (the output)
        0x48, 0x8D, 0x35,       // lea  rsi, [behind the code]
    ];
    #[rustfmt::skip]
    let rest = [
        0x6A, 0x06, 0x5A,       // push 6; pop rdx
        0x0F, 0x05,             // syscall
    ];
    code.extend((rest.len() as u32 + EXIT.len() as u32).to_le_bytes());
    code.extend(rest);
    code.extend(EXIT);
    code.extend(b"hello\n");
    image(&code)
}

/// The whole file: header, one segment that maps it readable and executable, code.
fn image(code: &[u8]) -> Vec<u8> {
    let size = CODE_OFFSET + code.len() as u64;
    let mut file = Vec::with_capacity(size as usize);
    // Magic, 64 bits, little endian, version 1, System V.
    file.extend([0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    let long = |file: &mut Vec<u8>, value: u64| file.extend(value.to_le_bytes());
    half(&mut file, 2); // an executable
    half(&mut file, 62); // for x86-64
    word(&mut file, 1); // version
    long(&mut file, BASE + CODE_OFFSET); // entry
    long(&mut file, u64::from(FILE_HEADER_BYTES)); // segment headers follow
    long(&mut file, 0); // no section headers
    word(&mut file, 0); // flags
    half(&mut file, FILE_HEADER_BYTES);
    half(&mut file, SEGMENT_HEADER_BYTES);
    half(&mut file, 1); // one segment
    half(&mut file, 64); // size of a section header, if there were one
    half(&mut file, 0);
    half(&mut file, 0);

    word(&mut file, 1); // to be loaded
    word(&mut file, 5); // readable and executable
    long(&mut file, 0); // from the file's start
    long(&mut file, BASE);
    long(&mut file, BASE);
    long(&mut file, size); // in the file
    long(&mut file, size); // in memory
    long(&mut file, 0x1000); // page alignment
    file.extend(code);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_sizes_that_they_state() {
        assert_eq!(image(&[]).len() as u64, CODE_OFFSET);
        assert_eq!(that_exits().len() as u64, CODE_OFFSET + 9);
    }
}
