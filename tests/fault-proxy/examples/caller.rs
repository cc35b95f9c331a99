//! A caller with a process of its own: sends one request, shows the first line of the answer, and waits until its input ends.
//!
//! The tests start it to see what happens to a process: `caller ADDRESS:PORT REQUEST`.
#![expect(clippy::print_stdout, reason = "what it shows is what the tests read")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(request)) = (arguments.next(), arguments.next()) else {
        return Err("expected ADDRESS:PORT and a request".into());
    };
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    // Not `read_to_end`, which returns an error where memory ends; what most code does there is to abort.
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut part)?;
        match part.get(..read) {
            Some(read) if !read.is_empty() => answer.extend_from_slice(read),
            _ => break,
        }
    }
    println!(
        "{}",
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default()
    );
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
