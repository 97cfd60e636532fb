//! The driver of the client core: hands it what happens, does what it orders, tells the application.
//!
//! Owns everything of one client: core, connection, alarm, listeners. Two rules keep an application out of trouble. No
//! borrow of anything in here is held while one of its functions runs, or is dropped. And nothing is told inside a call of
//! the application, but right after it, so that a handler never interrupts the code that caused it.

use crate::alarm::Alarm;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::js;
use crate::listeners::{Listeners, News, Topic};
use crate::memory::Memory;
use crate::page::PageWatch;
use crate::shared::Shared;
use crate::waiter::Waiter;
use crate::{Ack, Args, Problem, Refusal};
use encke_protocol::Timestamp;
use encke_protocol::client::{Client, Config, Event, Input, Output, SocketId};
use encke_protocol::queue::Queue;
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::{Rc, Weak};

/// The client core of a browser.
pub(crate) type Core = Client<Waiter>;

pub(crate) struct Driver {
    core: Shared<Core>,
    connection: Shared<Connection>,
    memory: Memory,
    clock: Clock,
    alarm: Alarm,
    _page: PageWatch,
    pub(crate) listeners: Shared<Listeners>,
    /// What the application has still to be told.
    news: Shared<Queue<Event<Waiter>>>,
    last_key: Cell<u32>,
    telling: Cell<bool>,
    will_tell: Cell<bool>,
    this: Weak<Self>,
}

impl Driver {
    pub(crate) fn new(config: Config) -> Rc<Self> {
        Rc::new_cyclic(|this: &Weak<Self>| {
            let (reporting, ringing, waking) = (this.clone(), this.clone(), this.clone());
            let report = Rc::new(move |input: Input<'_>| {
                if let Some(driver) = reporting.upgrade() {
                    driver.happened(input);
                }
            });
            let ring = move || {
                if let Some(driver) = ringing.upgrade() {
                    driver.alarm.rung();
                    driver.happened(Input::Timeout);
                }
            };
            let page = PageWatch::new(Rc::new(move |input: Input<'_>| {
                if let Some(driver) = waking.upgrade() {
                    driver.alarm.distrust();
                    driver.happened(input);
                }
            }));
            let (clock, memory) = (Clock::start(), Memory::new(&config));
            let mut core = Core::new(config);
            memory.recall(&mut core, clock.now());
            Self {
                core: Shared::new(core),
                connection: Shared::new(Connection::new(report)),
                memory,
                clock,
                alarm: Alarm::new(ring),
                _page: page,
                listeners: Shared::default(),
                news: Shared::default(),
                last_key: Cell::new(0),
                telling: Cell::new(false),
                will_tell: Cell::new(false),
                this: this.clone(),
            }
        })
    }

    /// What the core knows.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Core) -> T) -> T {
        self.core.with(|core| look(core))
    }

    /// A call of the application: what comes of it is done at once, and told right after the call.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&mut Core, Timestamp) -> T) -> T {
        let answer = self.core.with(|core| ask(core, self.clock.now()));
        self.carry_out();
        self.tell_soon();
        answer
    }

    /// As [`Self::ask`], for what is told without the core.
    pub(crate) fn tell_later(&self, news: Event<Waiter>) {
        self.news.with(|waiting| waiting.push(news));
        self.tell_soon();
    }

    /// A name for what will wait for an ack.
    pub(crate) fn key(&self) -> u32 {
        self.last_key.set(self.last_key.get().wrapping_add(1));
        self.last_key.get()
    }

    /// Nobody waits any more for the ack of that name.
    pub(crate) fn give_up(&self, socket: SocketId, key: u32) {
        // Dropped only after the borrow: it is the application's.
        let waiter = self.ask(|core, _| core.cancel(socket, |waiter| waiter.key == key));
        drop(waiter);
    }

    /// Tells that an event of the server had to be dropped.
    pub(crate) fn announce_malformed(&self, socket: SocketId, event: &str) {
        let problem = Problem::Malformed { event: event.to_owned() };
        self.announce(&Topic::Problem(socket), &News::Problem(&problem));
    }

    fn happened(&self, input: Input<'_>) {
        self.input(input);
        self.carry_out();
        self.tell();
    }

    fn input(&self, input: Input<'_>) {
        self.core.with(|core| core.handle_input(self.clock.now(), input));
    }

    fn carry_out(&self) {
        loop {
            // A statement of its own, so that the borrow ends before the order is carried out.
            let output = self.core.with(Core::poll_output);
            let Some(output) = output else {
                break;
            };
            match output {
                Output::Event(news) => self.news.with(|waiting| waiting.push(news)),
                Output::Remember(passed_over) => self.memory.keep(&passed_over),
                order => {
                    let failed = self.connection.with(|connection| connection.perform(order));
                    if let Some(input) = failed {
                        self.input(input);
                    }
                }
            }
        }
        self.alarm.set(self.clock.now(), self.core.with(|core| core.next_deadline()));
    }

    fn tell_soon(&self) {
        let nothing = self.news.with(|news| news.is_empty());
        if nothing || self.telling.get() || self.will_tell.replace(true) {
            return;
        }
        let this = self.this.clone();
        js::soon(Box::new(move || {
            if let Some(driver) = this.upgrade() {
                driver.will_tell.set(false);
                driver.tell();
            }
        }));
    }

    /// Tells the application all that is new, also what comes up while it is told.
    fn tell(&self) {
        if self.telling.replace(true) {
            return;
        }
        let telling = Telling(&self.telling);
        loop {
            // Nobody is left to be told when this call holds the last reference.
            if self.this.strong_count() <= 1 {
                break;
            }
            let Some(news) = self.news.with(Queue::pop) else {
                break;
            };
            self.tell_one(news);
        }
        drop(telling);
    }
}

impl Driver {
    fn tell_one(&self, news: Event<Waiter>) {
        match news {
            Event::State(state) => self.announce(&Topic::State, &News::State(&state)),
            Event::Connected(id) => self.announce(&Topic::Connect(id), &News::Connect),
            Event::Disconnected { socket, reason } => {
                self.announce(&Topic::Disconnect(socket), &News::Disconnect(reason));
            }
            Event::Refused { socket, message, data } => {
                let refusal = Refusal { message, data };
                self.announce(&Topic::Refused(socket), &News::Refused(&refusal));
            }
            Event::Dropped(socket) => {
                self.announce(&Topic::Problem(socket), &News::Problem(&Problem::Dropped));
            }
            Event::Ack { slot, result } => (slot.then)(result.map(Args)),
            Event::Incoming { socket, reply_to, name, args } => {
                let topic = Topic::Event(socket, Cow::Owned(name));
                // As in the reference, an event that nobody listens to is not answered.
                if self.is_heard(&topic) {
                    let ack = Ack::new(&self.this, socket, reply_to);
                    self.announce(&topic, &News::Event(&Args(args), &ack));
                }
            }
        }
    }
}

/// Also when a handler panics and the stack is unwound, what comes later is told.
struct Telling<'a>(&'a Cell<bool>);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let core = self.core.get_mut();
        core.handle_input(self.clock.now(), Input::Disconnect);
        while let Some(output) = core.poll_output() {
            self.connection.get_mut().perform(output);
        }
    }
}
