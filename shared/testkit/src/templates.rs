//! Overriding words in memory.

use domain::ports::{TemplatesLoad, Unavailable};
use domain::{InForce, TemplateVersion};
use std::cell::{Cell, RefCell};

/// Overriding words in memory.
#[derive(Debug, Default)]
pub struct MemoryTemplates {
    /// What is in force.
    pub in_force: RefCell<InForce>,
    /// Every version there is.
    pub versions: RefCell<Vec<TemplateVersion>>,
    /// Whether they can be reached.
    pub is_out_of_reach: Cell<bool>,
    /// Whether nobody answers, ever.
    pub is_silent: Cell<bool>,
    /// How often somebody looked what is in force.
    pub looks: Cell<u32>,
    /// Every version that was asked for, in order.
    pub asked: RefCell<Vec<(String, u32)>>,
}

impl MemoryTemplates {
    async fn reach(&self) -> Result<(), Unavailable> {
        if self.is_silent.get() {
            std::future::pending::<()>().await;
        }
        match self.is_out_of_reach.get() {
            true => Err(Unavailable::new(
                "read templates",
                "the table is told to be out of reach",
            )),
            false => Ok(()),
        }
    }
}

impl TemplatesLoad for MemoryTemplates {
    async fn in_force(&self) -> Result<InForce, Unavailable> {
        self.looks.set(self.looks.get().saturating_add(1));
        self.reach().await?;
        Ok(self.in_force.borrow().clone())
    }

    async fn load(&self, versions: &[(String, u32)]) -> Result<Vec<TemplateVersion>, Unavailable> {
        self.reach().await?;
        self.asked.borrow_mut().extend_from_slice(versions);
        let is_asked = |known: &&TemplateVersion| {
            versions
                .iter()
                .any(|(template, version)| *template == known.template && *version == known.version)
        };
        Ok(self.versions.borrow().iter().filter(is_asked).cloned().collect())
    }
}
