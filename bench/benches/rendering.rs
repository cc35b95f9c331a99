//! The time that it takes to write an e-mail: subject, HTML and plain text of an order with two items.

use bench::Job;
use criterion::{Criterion, criterion_group, criterion_main};
use domain::Language;
use std::hint::black_box;

fn rendering(criterion: &mut Criterion) {
    for language in Language::ALL {
        if let Some(job) = Job::new(language) {
            criterion.bench_function(&format!("two items, HTML and text, {language}"), |bencher| {
                bencher.iter(|| black_box(job.run()));
            });
        }
    }
}

criterion_group!(benches, rendering);
criterion_main!(benches);
