#!/usr/bin/env python3
"""Removes one safeguard after the other from a copy of the code, and shows the test that then fails.

A safeguard whose removal no test notices is a hole in the tests: the script ends with 1. Nothing is changed in this checkout:
the copy lies in target/safeguards, with its compiled code beside it. The first run takes some minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
COPY = REPO / "target" / "safeguards" / "copy"
COMPILED = REPO / "target" / "safeguards" / "compiled"

# What is removed: name, file, its code, what stands there instead, the package of the test, the test.
SAFEGUARDS = [
    (
        "the lease: a delivery that another sender holds is left alone",
        "shared/domain/src/delivery.rs",
        "Some(lease) if lease.until > now => {",
        "Some(lease) if lease.until > now && false => {",
        "domain",
        "a_lease_that_is_over_leads_to_doubt_and_never_to_another_claim",
    ),
    (
        "the claim's condition: only what is claimable is claimed",
        "shared/domain/src/delivery.rs",
        "current.attempt == *attempt && current.claimable_at.is_some_and(|at| at <= *by)",
        "current.attempt == *attempt && by > &Timestamp::UNIX_EPOCH",
        "pipeline",
        "what_is_scheduled_waits_for_its_time",
    ),
    (
        "the SDK's retries, off for SES",
        "shared/aws/src/connection.rs",
        "aws_sdk_sesv2::config::Builder::from(&self.config)\n            .retry_config(RetryConfig::disabled())",
        "aws_sdk_sesv2::config::Builder::from(&self.config)",
        "aws",
        "a_lost_reply_never_makes_the_sdk_send_twice",
    ),
    (
        "the SDK's retries, off for text messages",
        "shared/aws/src/connection.rs",
        "aws_sdk_sns::config::Builder::from(&self.config)\n            .retry_config(RetryConfig::disabled())",
        "aws_sdk_sns::config::Builder::from(&self.config)",
        "aws",
        "a_lost_reply_never_makes_the_sdk_send_twice",
    ),
    (
        "the owner in the condition: an old owner cannot settle a newer attempt",
        "shared/domain/src/delivery.rs",
        "Self::In { attempt, states } => current.attempt == *attempt && states.contains(&current.state),",
        "Self::In { states, .. } => states.contains(&current.state),",
        "domain",
        "a_slow_owner_cannot_settle_the_next_attempt",
    ),
    (
        "the owner in the echo: a claim is ours only if it names us",
        "shared/domain/src/delivery.rs",
        "Some(lease) if lease.owner == owner => Encounter::Ours,",
        "Some(_) => Encounter::Ours,",
        "pipeline",
        "an_owner_that_was_killed_leaves_doubt_and_its_message_is_not_sent_at_once",
    ),
    (
        "the state in doubt: no answer is not a refusal",
        "shared/domain/src/delivery.rs",
        "SendAnswer::Unknown { reason } => self.doubt(reason, now),",
        "SendAnswer::Unknown { reason } => self.spend_a_try(reason, policy, chance, now),",
        "pipeline",
        "a_lost_reply_never_sends_twice_before_its_deadline",
    ),
    (
        "the channel in doubt: an SMS is never sent again",
        "shared/domain/src/delivery.rs",
        "Channel::Sms | Channel::Push => self.moved(State::Failed, NEVER, now).because(reason),",
        "Channel::Sms | Channel::Push => {\n"
        "                self.moved(State::Queued, Some(Timestamp::UNIX_EPOCH), now).because(reason)\n            }",
        "pipeline",
        "an_sms_in_doubt_is_never_sent_again",
    ),
    (
        "the key is the fact alone, without the moment of publishing",
        "shared/domain/src/fact.rs",
        "fact.add(self.content.notification_type().name());",
        "fact.add(self.content.notification_type().name()).add(&self.at.to_string());",
        "domain",
        "the_moment_of_publishing_and_the_case_of_the_address_make_no_other_fact",
    ),
    (
        "the body behind an explicit key: the same key with another content is a conflict",
        "shared/domain/src/fact.rs",
        "self.version() == other.version() && self != other",
        "self.version() != other.version() && self != other",
        "pipeline",
        "the_same_key_with_another_content_is_a_conflict_and_with_the_same_is_not",
    ),
    (
        "the second look at preferences, when the message's turn has come",
        "shared/domain/src/notification.rs",
        "if !preferences.wants(self.channel, &self.content) {",
        "if !preferences.wants(self.channel, &self.content) && now < self.at {",
        "pipeline",
        "an_opt_out_while_the_message_waited_is_obeyed",
    ),
    (
        "the second look at suppression",
        "shared/domain/src/notification.rs",
        "match suppression.and_then(|suppression| suppression.in_force(now)) {",
        "match suppression.and_then(|suppression| suppression.in_force(now)).filter(|_| now < self.at) {",
        "pipeline",
        "an_address_that_bounced_meanwhile_gets_nothing",
    ),
    (
        "the second look at quiet hours",
        "shared/pipeline/src/sending/deliver.rs",
        "wait.map(End::Early)",
        "wait.filter(|_| held.delivery.attempt == 0).map(End::Early)",
        "pipeline",
        "what_comes_to_a_sender_at_night_goes_back_to_wait_and_uses_up_no_try",
    ),
    (
        "the time that a message may take to its provider: it is over before quiet hours begin",
        "shared/pipeline/src/sending/wait.rs",
        "left.clamp(SignedDuration::ZERO, LESS_THAN_A_MINUTE)",
        "left.clamp(SignedDuration::ZERO, SignedDuration::ZERO)",
        "pipeline",
        "what_could_still_be_on_its_way_when_quiet_hours_begin_waits_as_well",
    ),
    (
        "the first few: nobody else is offered while the account is in doubt",
        "shared/pipeline/src/sending/offer.rs",
        "const FIRST_CALLS: usize = 3;",
        "const FIRST_CALLS: usize = 100;",
        "pipeline",
        "trouble_with_the_account_opens_the_breaker_within_three_calls",
    ),
    (
        "the second look at a number's country",
        "shared/pipeline/src/sms_gate.rs",
        "if !self.limits.countries.serve(request.number) {",
        "if !self.limits.countries.serve(request.number) && request.is_urgent {",
        "pipeline",
        "a_country_that_is_no_longer_served_is_skipped_and_counted_nowhere",
    ),
    (
        "the day of a number",
        "shared/pipeline/src/sms_gate.rs",
        "if !is_counted {",
        "if !is_counted && limit == 0 {",
        "pipeline",
        "a_full_day_of_a_number_refuses_the_next_message_but_not_a_retry_nor_another_number",
    ),
    (
        "the month's segments",
        "shared/pipeline/src/sms_gate.rs",
        "(!reserved.is_granted).then(",
        "(!reserved.is_granted && limit == 0).then(",
        "pipeline",
        "four_fifths_of_the_month_are_for_everything_and_the_rest_for_what_is_urgent",
    ),
    (
        "the permits kept for the urgent lane",
        "shared/domain/src/traffic.rs",
        "const RESERVED_PART: f64 = 0.2;",
        "const RESERVED_PART: f64 = 0.0;",
        "pipeline",
        "an_urgent_message_passes_those_that_wait",
    ),
    (
        "the generation of a redrive, written before the message travels",
        "shared/pipeline/src/redrive.rs",
        "let next = delivery.redrive(self.by, self.clock.now());",
        "let next = delivery.clone();",
        "pipeline",
        "a_parked_delivery_goes_back_under_the_next_generation_and_is_sent_once",
    ),
    (
        "late proof: a report that a message was accepted keeps it from being sent again",
        "shared/domain/src/delivery/learn.rs",
        "State::Queued | State::Parked => self.attempt > 0,",
        "State::Queued | State::Parked => false,",
        "domain",
        "a_late_report_prevents_a_second_message",
    ),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="TEXT", default="", help="only safeguards whose name contains this text")
    options = parser.parse_args()
    chosen = [safeguard for safeguard in SAFEGUARDS if options.only in safeguard[0]]
    if not chosen:
        sys.exit(f"remove_each.py: no safeguard is called {options.only!r}; their names: " + "; ".join(s[0] for s in SAFEGUARDS))

    copy_the_code()
    for package in sorted({package for *_, package, _ in chosen}):
        tests = [test for *_, of, test in chosen if of == package]
        result = run_tests(package, tests)
        if result.returncode:
            sys.exit(f"remove_each.py: {package} fails although nothing was removed:\n{(result.stdout + result.stderr)[-2000:]}")
        say(f"with every safeguard in place, {package} passes")

    unnoticed = 0
    for name, file, code, instead, package, test in chosen:
        path = COPY / file
        original = path.read_text()
        if original.count(code) != 1:
            sys.exit(f"remove_each.py: {file} holds the code of {name!r} {original.count(code)} times: 1 was expected")
        path.write_text(original.replace(code, instead))
        begin = time.monotonic()
        result = run_tests(package, [test])
        path.write_text(original)
        if "could not compile" in result.stderr:
            sys.exit(f"remove_each.py: without {name!r} the code does not compile:\n{result.stderr[-2000:]}")
        is_noticed = result.returncode != 0 and f"{test} ... FAILED" in result.stdout
        unnoticed += not is_noticed
        verdict = f"{package}: {test} fails" if is_noticed else f"NOTHING FAILS (expected {package}: {test})"
        say(f"without {name}: {verdict} ({time.monotonic() - begin:.0f} s)")
    say(f"{len(chosen) - unnoticed} of {len(chosen)} removals were noticed")
    return 1 if unnoticed else 0


def copy_the_code():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPO, capture_output=True, text=True, check=True,
    )
    shutil.rmtree(COPY, ignore_errors=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = REPO / name, COPY / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def run_tests(package, tests):
    environment = os.environ | {"CARGO_TARGET_DIR": str(COMPILED), "RUST_BACKTRACE": "0"}
    command = ["cargo", "test", "--locked", "--profile", "local", "--package", package, "--lib", "--", *tests]
    return subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True)


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
