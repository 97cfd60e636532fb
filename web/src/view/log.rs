//! The conversation on screen: one `<li>` a line.
//!
//! A line that is drawn is changed in place, never built again: it would lose focus and selection, and a screen reader would read
//! it again.

use encke_protocol::list;
use web_sys::Element;

use super::{Shapes, clock, clock::Clock, colour, copy, part, say, say_in, set};
use crate::model::{Content, Fate, Line, Message};
use crate::words;

/// Messages of one author within so many milliseconds stand together under one name.
const TOGETHER_MS: u64 = 5 * 60_000;

/// The drawn conversation.
pub struct Log {
    clock: Clock,
    rows: Vec<Row>,
}

/// A drawn line.
struct Row {
    /// The line's number.
    number: u32,
    item: Element,
    /// What is there besides if the line is a message.
    bubble: Option<Bubble>,
}

/// A drawn message.
struct Bubble {
    name: Element,
    time: Element,
    /// Says which day the line begins, or nothing.
    day_line: Element,
    /// There while the message is not sent.
    failure: Option<Element>,
    /// The local day of `looks.at`.
    day: i32,
    looks: Looks,
}

/// All of a message that can change after it was drawn.
#[derive(Clone, Copy, PartialEq)]
struct Looks {
    at: u64,
    fate: Fate,
    /// The author is named.
    first: bool,
    /// The line says which day begins.
    new_day: bool,
}

/// What stands above a message.
#[derive(Default)]
struct Above<'a> {
    message: Option<&'a Message>,
    day: Option<i32>,
}

impl Log {
    /// A log with nothing drawn.
    pub fn new() -> Self {
        Self { clock: Clock::new(), rows: Vec::new() }
    }

    /// Makes `list` show `lines`. True if anything changed.
    pub fn render(&mut self, shapes: &Shapes, list: &Element, lines: &[Line]) -> bool {
        let mut changed = false;
        let mut above = Above::default();
        for (at, line) in lines.iter().enumerate() {
            changed |= self.place(shapes, list, at, line);
            let bubble = self.rows.get_mut(at).and_then(|row| Some((&row.item, row.bubble.as_mut()?)));
            if let (Some((item, bubble)), Some(message)) = (bubble, line.message()) {
                changed |= bubble.draw(shapes, item, message, &above, &self.clock);
                above = Above { message: Some(message), day: Some(bubble.day) };
            } else {
                // A note parts two messages of one author, but does not hide a change of day.
                above.message = None;
            }
        }
        while self.rows.len() > lines.len() {
            self.remove(lines.len());
            changed = true;
        }
        changed
    }

    /// Makes the row at `at` that of `line`. True if it was another.
    fn place(&mut self, shapes: &Shapes, list: &Element, at: usize, line: &Line) -> bool {
        let rows = self.rows.get(at..).unwrap_or_default();
        match rows.iter().position(|row| row.number == line.number) {
            Some(0) => false,
            // What stood between was dropped, or moved down and is drawn again there.
            Some(distance) => {
                for _ in 0..distance {
                    self.remove(at);
                }
                true
            }
            None => {
                let next = rows.first().map(|row| &row.item);
                if let Some(row) = Row::new(shapes, list, next, line) {
                    list::put(&mut self.rows, at, row);
                }
                true
            }
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some(row) = list::take(&mut self.rows, at) {
            row.item.remove();
        }
    }
}

impl Row {
    /// Draws what never changes of a line, before `next`.
    fn new(shapes: &Shapes, list: &Element, next: Option<&Element>, line: &Line) -> Option<Self> {
        let (shape, who, what) = match &line.content {
            Content::Message(message) => (&shapes.said, &message.name, message.text.as_str()),
            Content::Arrived(name) => (&shapes.notice, name, " is here"),
            Content::Left(name) => (&shapes.notice, name, " left"),
        };
        let item = copy(shape, list, next)?;
        let name = part(&item, "bdi")?;
        say(&name, who);
        say_in(&item, ".text", what);
        let bubble = match line.message() {
            Some(message) => {
                set(&item, "data-line", &words::number(line.number));
                colour(&name, &message.name);
                Some(Bubble::new(&item, name)?)
            }
            None => None,
        };
        Some(Self { number: line.number, item, bubble })
    }
}

impl Bubble {
    fn new(item: &Element, name: Element) -> Option<Self> {
        let (time, day_line) = (part(item, "time")?, part(item, ".day")?);
        // No message was said at this time, so the first drawing sets everything.
        let looks = Looks { at: u64::MAX, fate: Fate::Other, first: false, new_day: false };
        Some(Self { name, time, day_line, failure: None, day: 0, looks })
    }

    /// Draws what can change. True if anything did.
    fn draw(
        &mut self,
        shapes: &Shapes,
        item: &Element,
        message: &Message,
        above: &Above<'_>,
        clock: &Clock,
    ) -> bool {
        if self.looks.at != message.at {
            self.day = clock::day_number(message.at);
            say(&self.time, &clock.time(message.at));
            set(&self.time, "datetime", &clock::machine_time(message.at));
        }
        let new_day = above.day != Some(self.day);
        let first = new_day || !above.message.is_some_and(|above| together(above, message));
        let looks = Looks { at: message.at, fate: message.fate, first, new_day };
        if self.looks == looks {
            return false;
        }
        set(item, "class", if first { "first" } else { "" });
        set(item, "data-state", state(message.fate));
        // Eyes need the name once, and not over one's own; ears need it with every message.
        let named = first && message.fate == Fate::Other;
        set(&self.name, "class", if named { "name" } else { "name unseen" });
        say(&self.day_line, &if new_day { clock.day(message.at) } else { String::new() });
        self.draw_failure(shapes, item, message.fate);
        self.looks = looks;
        true
    }

    fn draw_failure(&mut self, shapes: &Shapes, item: &Element, fate: Fate) {
        if let Some(old) = self.failure.take() {
            old.remove();
        }
        if let Fate::Failed(failure) = fate
            && let Some(line) = copy(&shapes.failure, item, None)
        {
            say_in(&line, "span", &words::failure(failure));
            self.failure = Some(line);
        }
    }
}

/// Does `message` continue what stands above it?
fn together(above: &Message, message: &Message) -> bool {
    let mine = |message: &Message| message.fate != Fate::Other;
    above.name == message.name
        && mine(above) == mine(message)
        && message.at.saturating_sub(above.at) < TOGETHER_MS
}

fn state(fate: Fate) -> &'static str {
    match fate {
        Fate::Other => "other",
        Fate::Pending => "pending",
        Fate::Sent => "sent",
        Fate::Failed(_) => "failed",
    }
}
