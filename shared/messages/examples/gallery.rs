//! t
use domain::Channel;
use messages::{TemplateName, Templates, samples};
fn main() {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let t = Templates::new();
    for name in TemplateName::all() {
        if !only.iter().all(|o| name.to_string().contains(o.as_str())) {
            continue;
        }
        for content in samples::of(name.kind, name.status) {
            let (r, s) = (samples::reader(name.language), samples::shop());
            println!("=== {name}");
            match name.channel {
                Channel::Email => match t.email(&content, &r, &s) {
                    Ok(e) => println!("{}\n---\n{}", e.subject, e.text),
                    Err(e) => println!("ERR {}", domain::chain(&e)),
                },
                Channel::Sms => match t.sms(&content, &r, &s) {
                    Ok(e) => println!(
                        "{:?} {} cut={} {}: {}",
                        e.encoding,
                        e.segments,
                        e.is_cut,
                        e.text.chars().count(),
                        e.text
                    ),
                    Err(e) => println!("ERR {}", domain::chain(&e)),
                },
                Channel::Push => match t.push(&content, &r, &s) {
                    Ok(e) => println!("{} | {} | {:?}", e.title, e.body, e.link),
                    Err(e) => println!("ERR {}", domain::chain(&e)),
                },
                Channel::InApp => match t.in_app(&content, &r, &s) {
                    Ok(e) => println!("{} | {} | {:?}", e.title, e.body, e.link),
                    Err(e) => println!("ERR {}", domain::chain(&e)),
                },
            }
        }
    }
}
