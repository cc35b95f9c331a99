//! The canary's log, the front door, and what the system depends on, in memory.

use domain::ports::Unavailable;
use domain::{Dependencies, Dependency, Flight, FlightLog, FrontDoor, Part};
use jiff::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

/// Which canary flew last, in memory.
#[derive(Debug, Default)]
pub struct MemoryFlightLog {
    last: RefCell<Option<Flight>>,
    /// Whether it can be read.
    pub is_out_of_reach: Cell<bool>,
    /// Whether it can be read and not written.
    pub is_read_only: Cell<bool>,
}

impl FlightLog for MemoryFlightLog {
    async fn last(&self) -> Result<Option<Flight>, Unavailable> {
        match self.is_out_of_reach.get() {
            true => Err(Unavailable::new(
                "read the log of flights",
                "it is told to be out of reach",
            )),
            false => Ok(self.last.borrow().clone()),
        }
    }

    async fn begin(&self, before: Option<&Flight>, next: &Flight) -> Result<bool, Unavailable> {
        if self.is_read_only.get() {
            return Err(Unavailable::new(
                "write the log of flights",
                "it is told to be read only",
            ));
        }
        let mut last = self.last.borrow_mut();
        let is_as_believed = last.as_ref() == before;
        if is_as_believed {
            *last = Some(next.clone());
        }
        Ok(is_as_believed)
    }
}

/// The front door, in memory.
#[derive(Debug, Default)]
pub struct MemoryFrontDoor {
    published: RefCell<Vec<String>>,
    /// Whether it refuses.
    pub is_shut: Cell<bool>,
}

impl MemoryFrontDoor {
    /// Everything that was published since the last time, as JSON.
    pub fn take(&self) -> Vec<String> {
        self.published.take()
    }
}

impl FrontDoor for MemoryFrontDoor {
    async fn publish(&self, event: &str) -> Result<(), Unavailable> {
        if self.is_shut.get() {
            return Err(Unavailable::new("publish an event", "the door is told to be shut"));
        }
        self.published.borrow_mut().push(event.to_owned());
        Ok(())
    }
}

/// What the system depends on, in memory: everything is well until told otherwise.
#[derive(Debug, Default)]
pub struct MemoryDependencies {
    troubles: RefCell<HashMap<Dependency, String>>,
    silent: RefCell<HashSet<Dependency>>,
}

impl MemoryDependencies {
    /// This one is down from now on, because of that.
    pub fn break_down(&self, dependency: Dependency, why: &str) {
        self.troubles.borrow_mut().insert(dependency, why.to_owned());
    }

    /// This one never answers from now on.
    pub fn fall_silent(&self, dependency: Dependency) {
        self.silent.borrow_mut().insert(dependency);
    }
}

impl Dependencies for MemoryDependencies {
    async fn ask(&self, dependency: Dependency, _now: Timestamp) -> Vec<Part> {
        let is_silent = self.silent.borrow().contains(&dependency);
        if is_silent {
            std::future::pending::<()>().await;
        }
        vec![Part {
            name: "the only one".to_owned(),
            trouble: self.troubles.borrow().get(&dependency).cloned(),
        }]
    }
}
