//! The machine's check of itself, on the machine: what no test on a host can show.

mod breakage;
mod console;
mod memory;
mod programs;
mod time;

use alloc::string::{String, ToString};
use core::fmt::Display;

pub use breakage::{Breakage, break_on_purpose};

use crate::{
    arch::clock, console::println, exit::ExitCode, image::Image, machine::Recording, system::System,
};

/// What a check found: a few words about what it saw, or what is wrong.
type Outcome = Result<String, String>;

/// Runs every check and prints a line for each, then a sum.
pub fn run(image: Image) -> ExitCode {
    // Before there is an engine, because they use up all memory there is.
    let of_machine: [(&str, &dyn Fn() -> Outcome); 10] = [
        ("all memory is there", &memory::all_memory_is_there),
        ("the heap gives back what it took", &memory::the_heap_gives_back_what_it_took),
        ("reservations of 4 GiB come and go", &memory::reservations_come_and_go),
        ("too little memory is an error", &memory::too_little_memory_is_an_error),
        ("an object is the same at every place", &memory::an_object_is_the_same_at_every_place),
        ("the clock and the timer agree", &time::the_clock_and_the_timer_agree),
        ("a cancelled alarm stays silent", &time::a_cancelled_alarm_stays_silent),
        ("random bytes differ", &time::random_bytes_differ),
        ("a damaged archive is refused", &|| programs::a_damaged_archive_is_refused(image)),
        ("a line typed is a line read", &console::a_line_typed_is_a_line_read),
    ];
    let mut tally = Tally::default();
    of_machine.iter().for_each(|(name, check)| tally.check(name, check));
    match System::new(image, Recording::On) {
        Ok(system) => {
            let of_system: [(&str, &dyn Fn() -> Outcome); 7] = [
                ("a program computes", &|| programs::a_program_computes(&system)),
                ("every trap ends its cell and nothing else", &|| {
                    programs::every_trap_ends_its_cell(&system)
                }),
                ("a passive server is called", &|| programs::a_passive_server_is_called(&system)),
                ("an active server is called", &|| programs::an_active_server_is_called(&system)),
                ("an endless loop shares and is killed", &|| {
                    programs::an_endless_loop_shares_and_is_killed(&system)
                }),
                ("interrupts bend no sum", &|| programs::interrupts_bend_no_sum(&system)),
                // Last, because programs' code and stacks are mapped now.
                ("no page is writable and executable", &memory::no_page_is_writable_and_executable),
            ];
            of_system.iter().for_each(|(name, check)| tally.check(name, check));
        }
        Err(wrong) => tally.note("kernel and engine start", Err(wrong), 0),
    }
    tally.end()
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    fn check(&mut self, name: &str, check: &dyn Fn() -> Outcome) {
        let start_ns = clock::now_ns();
        let outcome = check();
        self.note(name, outcome, (clock::now_ns() - start_ns) / 1000);
    }

    fn note(&mut self, name: &str, outcome: Outcome, microseconds: u64) {
        match outcome {
            Ok(seen) => {
                self.passed += 1;
                println!("selftest: ok: {name} ({seen}; {microseconds} us)");
            }
            Err(wrong) => {
                self.failed += 1;
                println!("selftest: FAILED: {name}: {wrong}");
            }
        }
    }

    fn end(self) -> ExitCode {
        println!("selftest: {} of {} passed", self.passed, self.passed + self.failed);
        if self.failed == 0 { ExitCode::Success } else { ExitCode::Failure }
    }
}

/// An error as the reason why a check failed.
fn words(error: impl Display) -> String {
    error.to_string()
}

/// The end of a check whose condition does not hold.
macro_rules! ensure {
    ($condition:expr, $($arguments:tt)*) => {
        if !$condition {
            return Err(alloc::format!($($arguments)*));
        }
    };
}
use ensure;
