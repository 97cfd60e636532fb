//! What several callbacks change, one at a time.

use std::cell::RefCell;
use std::process::abort;

/// As `RefCell`. But who takes it twice at once, which is a fault in this crate and never an application's, ends the program
/// without a word: the words are a kilobyte of every page.
#[derive(Default)]
pub(crate) struct Shared<T>(RefCell<T>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// Nothing of an application may run inside: it could come back here.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        match self.0.try_borrow_mut() {
            Ok(mut value) => act(&mut value),
            Err(_) => abort(),
        }
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}
