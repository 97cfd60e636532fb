//! Taking from lists and putting into them, without the words in which `Vec` refuses a place that is not there: with what
//! formats them they are a kilobyte of every page.

use std::mem::swap;

/// Takes the item at that place, if there is one. Those behind it move up.
pub fn take<T>(list: &mut Vec<T>, at: usize) -> Option<T> {
    shift(list.get_mut(at..)?.iter_mut())?;
    list.pop()
}

/// Puts an item at that place, or behind the last. Those behind it move down.
pub fn put<T>(list: &mut Vec<T>, at: usize, item: T) {
    list.push(item);
    shift(list.get_mut(at..).unwrap_or_default().iter_mut().rev());
}

/// Brings the first of these behind the last. None when there is no first.
fn shift<'a, T: 'a>(mut items: impl Iterator<Item = &'a mut T>) -> Option<()> {
    let mut place = items.next()?;
    for next in items {
        swap(place, next);
        place = next;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_list_is_taken_from_there() {
        let mut list = vec![1, 3];
        put(&mut list, 1, 2);
        put(&mut list, 9, 4);
        assert_eq!(list, [1, 2, 3, 4]);
        assert_eq!([take(&mut list, 1), take(&mut list, 3), take(&mut list, 9)], [Some(2), None, None]);
        assert_eq!(list, [1, 3, 4]);
        assert_eq!([take(&mut list, 2), take(&mut list, 0)], [Some(4), Some(1)]);
        assert_eq!(list, [3]);
    }
}
