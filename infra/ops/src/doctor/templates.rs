//! Whether every built-in message can be written.

use domain::Channel;
use messages::{TemplateName, Templates, samples};

use super::Finding;

const CHECK: &str = "templates";

pub(super) fn look() -> Vec<Finding> {
    let templates = Templates::new();
    let mut broken = Vec::new();
    let mut written = 0;
    for name in TemplateName::all() {
        let (reader, shop) = (samples::reader_of(name.kind, name.language), samples::shop());
        for content in samples::of(name.kind, name.status) {
            let problem = match name.channel {
                Channel::Email => templates.email(&content, &reader, &shop).err(),
                Channel::Sms => templates.sms(&content, &reader, &shop).err(),
                Channel::Push => templates.push(&content, &reader, &shop).err(),
                Channel::InApp => templates.in_app(&content, &reader, &shop).err(),
            };
            broken.extend(problem);
        }
        written += 1;
    }
    match broken.is_empty() {
        true => vec![Finding::ok(
            CHECK,
            format!("{written} templates are built in, and all can be rendered"),
        )],
        false => broken
            .iter()
            .map(|error| {
                let what = domain::chain(error);
                Finding::problem(CHECK, what, "mend it in shared/messages and deploy again")
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn no_built_in_template_is_broken() {
        assert!(look().iter().all(|finding| finding.level == Level::Ok));
    }
}
