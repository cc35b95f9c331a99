//! Stands in for X-Ray's daemon: takes segment documents by UDP and appends each to a file, as OpenTelemetry's file exporter would.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::UdpSocket;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::otlp::resource_spans;

/// A file that grew beyond this is put aside under its name with `.old`, which replaces the one before.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Takes documents for ever. Each becomes a line of the file: an `ExportTraceServiceRequest` in JSON.
///
/// # Errors
///
/// When the socket or the file is out of order. A datagram that is no document is told and left.
pub fn collect(socket: &UdpSocket, file: &Path, mut tell: impl FnMut(&str)) -> Result<()> {
    let mut lines = Lines::open(file)?;
    let mut bytes = vec![0; 65_536];
    loop {
        let count = socket.recv(&mut bytes).context("could not receive")?;
        match bytes.get(..count).and_then(document) {
            Some(spans) => lines.add(&spans)?,
            None => tell("a datagram is no segment document of X-Ray"),
        }
    }
}

/// What a datagram holds: a header in one line, and a document.
fn document(datagram: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(datagram).ok()?;
    let (header, document) = text.split_once('\n')?;
    let header: Value = serde_json::from_str(header).ok()?;
    if header.get("format")? != "json" {
        return None;
    }
    resource_spans(&serde_json::from_str(document).ok()?)
}

struct Lines<'f> {
    path: &'f Path,
    file: File,
    size: u64,
}

impl<'f> Lines<'f> {
    fn open(path: &'f Path) -> Result<Self> {
        let at = || format!("could not open {}", path.display());
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(at)?;
        let size = file.metadata().with_context(at)?.len();
        Ok(Self { path, file, size })
    }

    fn add(&mut self, spans: &Value) -> Result<()> {
        let line = format!("{spans}\n");
        if self.size + line.len() as u64 > MAX_FILE_BYTES {
            let aside = self.path.with_extension("jsonl.old");
            std::fs::rename(self.path, aside).context("could not put the traces aside")?;
            *self = Self::open(self.path)?;
        }
        self.file
            .write_all(line.as_bytes())
            .context("could not write the traces")?;
        self.size += line.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_document_behind_its_header_is_taken() {
        let segment = r#"{"name":"n","id":"000000000000000a","trace_id":"1-5759e988-bd862e3fe1be46a994272793","start_time":1.5,"end_time":2}"#;
        assert!(document(format!("{{\"format\": \"json\", \"version\": 1}}\n{segment}").as_bytes()).is_some());
        for wrong in [
            segment.to_owned(),
            String::new(),
            format!("{{\"format\":\"xml\"}}\n{segment}"),
            "{\"format\":\"json\",\"version\":1}\n{\"name\":\"n\"}".to_owned(),
        ] {
            assert_eq!(document(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(document(&[0xff, b'\n']), None);
    }
}
