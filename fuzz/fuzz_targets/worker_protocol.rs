//! Messages from a worker in an attacker's hands: refused or understood, and what is understood encodes to the same again.
// covers: src/isolate/wire src/codec/take.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::isolate::wire::{Ask, Hello, Job, Kind, Reply};

fuzz_target!(|bytes: &[u8]| {
    let Ok((kind, take)) = Kind::of(bytes) else { return };
    match kind {
        Kind::Hello => drop(Hello::decode(take).map(|hello| assert_eq!(hello.encode(), bytes))),
        Kind::Ask => drop(Ask::decode(take).map(|ask| assert_eq!(&ask.encode()[..], bytes))),
        Kind::Job => {
            if let Ok(job) = Job::decode(take) {
                let mut again = Vec::new();
                job.encode(&mut again);
                let (_, take) = Kind::of(&again).expect("an encoded job has a kind");
                let job_again = Job::decode(take).expect("an encoded job is one");
                assert_eq!((job.number, job.sources), (job_again.number, job_again.sources));
                assert_eq!(job.pixels, job_again.pixels);
            }
        }
        Kind::Reply => {
            if let Ok(reply) = Reply::decode(take) {
                let Some(again) = reply.encode(true) else { return };
                let (_, take) = Kind::of(&again).expect("an encoded reply has a kind");
                let read = Reply::decode(take).expect("an encoded reply is one");
                assert_eq!(read.extracted.members, reply.extracted.members);
                assert_eq!(read.outcome, reply.outcome);
                let pixels =
                    |reply: &Reply| reply.picture.as_ref()?.as_ref().ok().map(|picture| picture.pixels.clone());
                assert_eq!(pixels(&read), pixels(&reply));
            }
        }
        Kind::Data | Kind::Refused => {}
    }
});
