//! HTTP/1.1 with kept connections, by hand: every microsecond that an endpoint takes is missing from what it measures.

use std::io;
use std::rc::Rc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A request of which all has arrived.
#[derive(Debug)]
pub struct Request<'r> {
    /// `GET`, `POST`.
    pub method: &'r str,
    /// The path, with its query.
    pub path: &'r str,
    /// `X-Amz-Target`, by which services with one path tell operations apart.
    pub target: Option<&'r str>,
    /// The body.
    pub body: &'r [u8],
    /// How many bytes came: head and body.
    pub bytes: usize,
}

/// What a request is answered.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Its media type.
    pub content_type: &'static str,
    /// Further header lines, each with its end of line.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer in JSON.
    #[must_use]
    pub const fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: "application/json",
            headers: String::new(),
            body,
        }
    }
}

/// Answers requests.
pub trait Answer {
    /// Answers one.
    fn answer(&self, request: Request<'_>) -> impl Future<Output = Response>;
}

/// How the body of a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Fixed(usize),
    Chunked,
}

#[derive(Debug)]
struct Head {
    bytes: usize,
    method: String,
    path: String,
    target: Option<String>,
    length: Length,
    is_asking_to_continue: bool,
}

/// Takes connections and answers what comes through them, for as long as the runtime lives.
pub async fn serve<A: Answer + 'static>(listener: TcpListener, tls: Option<TlsAcceptor>, answer: Rc<A>) {
    loop {
        let Ok((stream, _peer)) = listener.accept().await else {
            continue;
        };
        // Without it small answers wait for an acknowledgement that the other side delays.
        let _ignored_by_some_kernels = stream.set_nodelay(true);
        let (answer, tls) = (Rc::clone(&answer), tls.clone());
        tokio::task::spawn_local(async move {
            // A connection that ends within a request has nobody left to hear of it.
            let _ended = match tls {
                None => keep_answering(stream, &*answer).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => keep_answering(stream, &*answer).await,
                    Err(error) => Err(error),
                },
            };
        });
    }
}

async fn keep_answering<S, A>(mut stream: S, answer: &A) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answer,
{
    let mut buffer: Vec<u8> = Vec::with_capacity(64 * 1024);
    let mut out: Vec<u8> = Vec::with_capacity(16 * 1024);
    loop {
        let head = loop {
            if let Some(head) = head_of(&buffer)? {
                break head;
            }
            if !read_more(&mut stream, &mut buffer).await? {
                return Ok(());
            }
        };
        if head.is_asking_to_continue {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let (body, bytes) = loop {
            let arrived = buffer.get(head.bytes..).unwrap_or_default();
            match head.length {
                Length::Fixed(length) if arrived.len() >= length => break (None, head.bytes + length),
                Length::Fixed(length) => buffer.reserve(length.saturating_sub(arrived.len())),
                Length::Chunked => {
                    if let Some((body, taken)) = unchunked(arrived)? {
                        break (Some(body), head.bytes + taken);
                    }
                }
            }
            if !read_more(&mut stream, &mut buffer).await? {
                return Ok(());
            }
        };
        let body = match &body {
            Some(body) => body.as_slice(),
            None => buffer.get(head.bytes..bytes).unwrap_or_default(),
        };
        let response = answer
            .answer(Request {
                method: &head.method,
                path: &head.path,
                target: head.target.as_deref(),
                body,
                bytes,
            })
            .await;
        out.clear();
        let (status, content_type) = (response.status, response.content_type);
        io::Write::write_fmt(
            &mut out,
            format_args!(
                "HTTP/1.1 {status} x\r\ncontent-type: {content_type}\r\nx-amzn-requestid: rig\r\n{}content-length: {}\r\n\r\n",
                response.headers,
                response.body.len()
            ),
        )?;
        out.extend_from_slice(&response.body);
        stream.write_all(&out).await?;
        stream.flush().await?;
        buffer.drain(..bytes);
    }
}

async fn read_more<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.reserve(32 * 1024);
    Ok(stream.read_buf(buffer).await? > 0)
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn head_of(buffer: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(bytes) = request.parse(buffer).map_err(malformed)? else {
        return Ok(None);
    };
    let mut head = Head {
        bytes,
        method: request.method.unwrap_or_default().to_owned(),
        path: request.path.unwrap_or_default().to_owned(),
        target: None,
        length: Length::Fixed(0),
        is_asking_to_continue: false,
    };
    for header in request.headers {
        let text = || std::str::from_utf8(header.value).unwrap_or_default();
        if header.name.eq_ignore_ascii_case("content-length") {
            head.length = Length::Fixed(text().trim().parse().map_err(malformed)?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.length = Length::Chunked;
        } else if header.name.eq_ignore_ascii_case("x-amz-target") {
            head.target = Some(text().to_owned());
        } else if header.name.eq_ignore_ascii_case("expect") {
            head.is_asking_to_continue = true;
        }
    }
    Ok(Some(head))
}

/// A body in chunks, and how many bytes it took; nothing while some of it is missing.
fn unchunked(mut bytes: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let (mut body, whole) = (Vec::new(), bytes.len());
    loop {
        let httparse::Status::Complete((start, size)) =
            httparse::parse_chunk_size(bytes).map_err(|_no_size| malformed("a chunk without a size"))?
        else {
            return Ok(None);
        };
        let size = usize::try_from(size).map_err(malformed)?;
        if size == 0 {
            // Trailers are not used by anybody here: what is left is the empty line.
            let Some(rest) = bytes.get(start + 2..) else {
                return Ok(None);
            };
            return Ok(Some((body, whole - rest.len())));
        }
        let Some(rest) = bytes.get(start + size + 2..) else {
            return Ok(None);
        };
        body.extend_from_slice(bytes.get(start..start + size).unwrap_or_default());
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_what_is_asked_and_how_long_its_body_is() {
        let text = b"POST /x?y HTTP/1.1\r\nHost: a\r\nX-Amz-Target: T.Op\r\nContent-Length: 12\r\n\r\nbody";
        let head = head_of(text).unwrap().unwrap();
        assert_eq!((head.method.as_str(), head.path.as_str()), ("POST", "/x?y"));
        assert_eq!(head.target.as_deref(), Some("T.Op"));
        assert_eq!((head.length, head.bytes), (Length::Fixed(12), text.len() - 4));
        assert!(head_of(b"POST /x HTTP/1.1\r\nHost").unwrap().is_none());
    }

    #[test]
    fn a_body_in_chunks_is_whole_when_its_end_is_there() {
        let text = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nNEXT";
        assert_eq!(unchunked(text).unwrap(), Some((b"abcde".to_vec(), text.len() - 4)));
        for length in 0..text.len() - 4 {
            assert_eq!(unchunked(&text[..length]).unwrap(), None, "{length}");
        }
    }
}
