//! Which trace a message belongs to, and what in that trace led to it.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The lower 96 bits of a trace's id; above them stand the seconds at which it began.
const CHANCE: u128 = u128::MAX >> 32;

/// A place in a trace that is kept. What is not sampled has none, so that nothing is written for it.
///
/// Its text is the tracing header of X-Ray (X-Ray Developer Guide, "Tracing header"):
/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
}

impl TraceContext {
    /// A trace that begins now. Of `chance` 96 bits are used.
    #[must_use]
    pub fn begun(now: Timestamp, chance: u128) -> Self {
        let seconds = u32::try_from(now.as_second()).unwrap_or_default();
        Self {
            trace: u128::from(seconds) << 96 | chance & CHANCE,
            span: 0,
        }
    }

    /// Reads X-Ray's header; nothing where it cannot be read or is not sampled.
    #[must_use]
    pub fn of_header(header: &str) -> Option<Self> {
        let part = |name: &str| {
            let parts = header.split(';').filter_map(|part| part.trim().split_once('='));
            parts.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
        };
        if part("Sampled") != Some("1") {
            return None;
        }
        let (seconds, chance) = part("Root")?.strip_prefix("1-")?.split_once('-')?;
        Some(Self {
            trace: hex(seconds, 8)? << 96 | hex(chance, 24)?,
            span: part("Parent").map_or(Some(0), span)?,
        })
    }

    /// Reads the header of W3C's Trace Context, which publishers with OpenTelemetry write; nothing where it cannot be read or is
    /// not sampled.
    #[must_use]
    pub fn of_traceparent(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, parent) = (parts.next()?, hex(parts.next()?, 32)?, span(parts.next()?)?);
        let is_sampled = hex(parts.next()?, 2)? & 1 == 1;
        let is_valid = hex(version, 2)? != 0xff && trace != 0 && parent != 0;
        (is_sampled && is_valid).then_some(Self { trace, span: parent })
    }

    /// The same place as W3C's Trace Context writes it: `00-TRACE-SPAN-01`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{:032x}-{:016x}-01", self.trace, self.span)
    }

    /// The trace's id as X-Ray writes it.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("1-{:08x}-{:024x}", self.trace >> 96, self.trace & CHANCE)
    }

    /// What led here, as X-Ray writes it; nothing at the beginning of a trace.
    #[must_use]
    pub fn parent_id(&self) -> Option<String> {
        (self.span != 0).then(|| format!("{:016x}", self.span))
    }

    /// The place behind this span of the same trace.
    #[must_use]
    pub const fn behind(self, span: u64) -> Self {
        Self { span, ..self }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root={}", self.trace_id())?;
        if let Some(parent) = self.parent_id() {
            write!(f, ";Parent={parent}")?;
        }
        f.write_str(";Sampled=1")
    }
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads the header out of a request. A wrong one is none: a message never fails for its trace.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TraceContext>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Found {
        Header(String),
        Other(IgnoredAny),
    }
    Ok(match Found::deserialize(deserializer)? {
        Found::Header(header) => TraceContext::of_header(&header),
        Found::Other(_) => None,
    })
}

fn span(text: &str) -> Option<u64> {
    u64::try_from(hex(text, 16)?).ok()
}

/// So many hexadecimal digits, as a number.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    #[test]
    fn a_header_reads_back() {
        let context = TraceContext::of_header(HEADER).unwrap();
        assert_eq!(context.to_string(), HEADER);
        assert_eq!(context.trace_id(), "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(context.parent_id().as_deref(), Some("53995c3f42cd8ad8"));
    }

    #[test]
    fn both_headers_name_the_same_place() {
        let context = TraceContext::of_header(HEADER).unwrap();
        assert_eq!(
            context.traceparent(),
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        );
        assert_eq!(TraceContext::of_traceparent(&context.traceparent()), Some(context));
    }

    #[test]
    fn lambda_may_add_a_lineage_and_a_balancer_itself() {
        for header in [
            format!("{HEADER};Lineage=1:a87bd80c:0"),
            format!("Self=1-67891234-12456789abcdef012345678a;{HEADER}"),
        ] {
            assert_eq!(
                TraceContext::of_header(&header),
                TraceContext::of_header(HEADER),
                "{header}"
            );
        }
    }

    #[test]
    fn a_trace_that_begins_has_its_seconds_and_no_parent() {
        let context = TraceContext::begun(Timestamp::from_second(0x5759_e988).unwrap(), u128::MAX);
        assert_eq!(
            context.to_string(),
            "Root=1-5759e988-ffffffffffffffffffffffff;Sampled=1"
        );
        assert_eq!(TraceContext::of_header(&context.to_string()), Some(context));
    }

    #[test]
    fn what_is_not_sampled_or_not_a_header_is_none() {
        for header in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a99427279;Sampled=1",
            "Root=1-+759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=1;Sampled=1",
        ] {
            assert_eq!(TraceContext::of_header(header), None, "{header}");
        }
        for header in [
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00",
            "ff-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
            "00-00000000000000000000000000000000-53995c3f42cd8ad8-01",
            "00-5759e988bd862e3fe1be46a994272793-0000000000000000-01",
            "00-5759e988bd862e3fe1be46a994272793",
        ] {
            assert_eq!(TraceContext::of_traceparent(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in any::<String>()) {
            let _neither = (TraceContext::of_header(&text), TraceContext::of_traceparent(&text));
        }
    }
}
