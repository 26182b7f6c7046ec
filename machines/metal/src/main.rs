//! A bare x86_64 machine for the kernel and the engine. This file is the order in which it comes up.
#![no_std]
#![no_main]

extern crate alloc;

mod arch;
mod boot_information;
mod canary;
mod console;
mod drive;
mod exit;
mod heap;
mod image;
mod machine;
mod memory;
mod options;
mod panic;
mod platform;
mod selftest;
mod system;

use arch::{clock, core_words, descriptor_tables, features, interrupt_controllers, interrupts, timer};
use boot_information::BootInformation;
use console::println;
use exit::{ExitCode, exit};
use image::Image;
use options::Options;

/// Called by `boot.s` on the boot stack with the boot code's page tables.
#[unsafe(no_mangle)]
extern "C" fn machine_start(start_info: u32) -> ! {
    console::initialise();
    descriptor_tables::load();
    core_words::load();
    interrupts::load();
    // SAFETY: the entry's argument, unchanged; nothing has run but the boot code.
    let information = unsafe { BootInformation::read(start_info) };
    let information = information.unwrap_or_else(|error| panic!("cannot boot: {error}"));
    features::enable().unwrap_or_else(|error| panic!("cannot boot: {error}"));
    // SAFETY: once, and with what the loader says.
    unsafe { memory::initialise(&information) }.unwrap_or_else(|error| panic!("cannot boot: {error}"));
    interrupt_controllers::initialise().unwrap_or_else(|error| panic!("cannot boot: {error}"));
    let rate = clock::start().unwrap_or_else(|error| panic!("cannot boot: {error}"));
    let timer = timer::initialise();
    console::receive_by_interrupt();
    x86_64::instructions::interrupts::enable();

    let (free, total) = memory::space().available_and_total_frames();
    println!("hallows: {} MiB of memory, {} MiB free", total >> 8, free >> 8);
    println!("hallows: clock {rate}; timer {timer}");

    // SAFETY: the region is the loader's; `memory::initialise` has kept it from every other use.
    let image = unsafe { Image::new(information.module) };
    match Options::parse(&information.command_line) {
        Ok(Options::Run) => exit(canary::run(image)),
        Ok(Options::SelfTest) => exit(selftest::run(image)),
        Ok(Options::Break(breakage)) => selftest::break_on_purpose(breakage),
        Err(error) => {
            println!("hallows: {error}");
            exit(ExitCode::Failure)
        }
    }
}
