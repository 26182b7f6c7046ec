//! Runs the kernels of the compute bench, whose source the bench runs natively as well.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Error, Form, Message, Server, Start, memory};
use hallows_bench_kernels::{Kernel, Workload};
use hallows_protocols::compute::{Request, Response};

/// The kernel that was asked for last, with its input.
pub struct Compute {
    prepared: Option<(Kernel, Workload)>,
}

impl Server for Compute {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self { prepared: None })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        let Some(request) = Request::parse(message.bytes) else { return Answer::EMPTY };
        let Some(kernel) = Kernel::from_number(request.kernel) else { return Answer::EMPTY };
        let workload = self.workload(kernel);
        let checksum = (0..request.runs).fold(0, |_, _| workload.run());
        message.reply.form(&Response { checksum, memory_bytes: memory::size_bytes() as u64 })
    }
}

impl Compute {
    fn workload(&mut self, kernel: Kernel) -> &Workload {
        // The old input goes before the new one is made: both together would double the memory that the cell needs.
        let kept = self.prepared.take().filter(|(prepared, _)| *prepared == kernel);
        let (_, workload) = self.prepared.insert(kept.unwrap_or_else(|| (kernel, Workload::prepare(kernel))));
        workload
    }
}

hallows::server!(Compute);
