//! A queue for the client's side.

/// First in, first out. What stands between it and [`std::collections::VecDeque`] is size: that one's ring is several
/// kilobytes of every page.
#[derive(Debug)]
pub struct Queue<T> {
    /// What goes out before all of `back`.
    front: std::vec::IntoIter<T>,
    back: Vec<T>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { front: Vec::new().into_iter(), back: Vec::new() }
    }
}

impl<T> Queue<T> {
    /// Puts `item` behind all others.
    pub fn push(&mut self, item: T) {
        self.back.push(item);
    }

    /// Takes the first, if there is one.
    pub fn pop(&mut self) -> Option<T> {
        if self.front.as_slice().is_empty() {
            self.front = std::mem::take(&mut self.back).into_iter();
        }
        self.front.next()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.front.as_slice().is_empty() && self.back.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_first_goes_first_whatever_comes_in_between() {
        let mut queue = Queue::default();
        assert!(queue.is_empty() && queue.pop().is_none());
        queue.push(1);
        queue.push(2);
        assert_eq!(queue.pop(), Some(1));
        queue.push(3);
        assert!(!queue.is_empty());
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(2), Some(3), None]);
        assert!(queue.is_empty());
    }
}
