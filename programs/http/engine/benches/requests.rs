//! What requests cost in the engine, in wall time of this thread, the best of several rounds: from bytes to a request, and from that to the bytes of an answer.

use std::hint::black_box;
use std::time::Instant;

use hallows_http_engine::{Facts, Input, Limits, Moment, Server, Step};

const ROUNDS: u32 = 20;
const REQUESTS: u32 = 20_000;
const NOW: Moment = Moment(1_800_000_000);

fn main() {
    let server = Server::new([7; 16]);
    let facts = Facts { size: 1_024, modified_ns: 1, changed_ns: 1, media: "text/plain; charset=utf-8" };
    let browser = "GET /a/b/c.txt?d=e HTTP/1.1\r\nHost: example.org:8080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n\
                   Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\
                   Referer: http://example.org:8080/\r\nCookie: a=0123456789abcdef\r\nIf-None-Match: \"1-401\"\r\nCache-Control: max-age=0\r\n\r\n";
    for (name, text) in
        [("of wrk", "GET /file.txt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"), ("of a browser", browser)]
    {
        let mut input = Input::new(Limits::default());
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            for _ in 0..REQUESTS {
                input.receive(black_box(text.as_bytes()));
                let Step::Request(request) = input.next() else { panic!("a request") };
                let answer = server.file(&request, &facts, NOW);
                black_box(answer);
                assert!(matches!(input.next(), Step::More));
            }
            best = best.min(begin.elapsed().as_secs_f64() / f64::from(REQUESTS));
        }
        println!("a request {name} of {} bytes: {:.0} ns", text.len(), best * 1e9);
    }
}
