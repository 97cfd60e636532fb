//! All namespaces of a server: those that are always there, and those that are made when a client asks for one.
//!
//! Owns that there is never more than one of a name. One that was made is found as long as anybody holds it, be it a client
//! that is still asking to enter or a handle of the application, and is gone with the last of them: so nobody can hold one
//! that those who come later do not enter, and what is refused leaves nothing.

use super::handlers::Handlers;
use super::pattern::{Fit, Pattern};
use super::peer::Peer;
use super::work::panic_text;
use super::{Auth, Namespace, NamespaceCore, Refusal, Settings};
use crate::turn;
use std::any::Any;
use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;

pub(crate) struct Directory {
    settings: Settings,
    fixed: HashMap<Box<str>, Namespace>,
    families: Box<[Arc<Family>]>,
    children: Arc<Children>,
}

/// Namespaces that are made when they are asked for, all with the same handlers.
pub(super) struct Family {
    pub(super) pattern: Pattern,
    handlers: Arc<Handlers>,
}

type Children = Mutex<HashMap<Box<str>, Weak<NamespaceCore>>>;

/// What a namespace that was made knows of where it came from.
pub(super) struct Origin {
    pub(super) family: Arc<Family>,
    children: Arc<Children>,
}

/// A client that asks for a namespace.
struct Ask<'a> {
    peer: Arc<dyn Peer>,
    name: &'a str,
    random: u128,
    auth: Auth<'a>,
}

/// Which namespace it is to be.
enum Choice {
    Reached(Option<Namespace>),
    /// The family of that number is being decided about.
    Waits(usize, Decision),
}

type Decision = Pin<Box<dyn Future<Output = bool> + Send>>;
type Panic = Box<dyn Any + Send>;

impl Directory {
    pub(crate) fn new(
        settings: Settings,
        fixed: HashMap<Box<str>, Handlers>,
        families: Vec<(Pattern, Handlers)>,
    ) -> Self {
        let fixed = fixed.into_iter().map(|(name, handlers)| {
            let namespace = Namespace::new(&name, Arc::new(handlers), settings.clone(), None);
            (name, namespace.attached())
        });
        let fixed = fixed.collect();
        let families = families
            .into_iter()
            .map(|(pattern, handlers)| Arc::new(Family { pattern, handlers: Arc::new(handlers) }));
        Self { fixed, families: families.collect(), children: Arc::default(), settings }
    }

    /// The namespace of that name, if there is one or it can be made whoever asks for it.
    pub(crate) fn find(&self, name: &str) -> Option<Namespace> {
        if let Some(namespace) = self.fixed.get(name) {
            return Some(namespace.clone());
        }
        self.living(name).or_else(|| {
            let family = self.families.iter().find(|family| family.pattern.fits_anybody(name))?;
            self.child(name, family)
        })
    }

    /// All that are always there, and of the others those with somebody in them.
    pub(crate) fn all(&self) -> Vec<Namespace> {
        let living: Vec<_> = crate::lock(&self.children).values().filter_map(Weak::upgrade).collect();
        let living = living.into_iter().map(Namespace).filter(|namespace| !namespace.is_empty());
        self.fixed.values().cloned().chain(living).collect()
    }

    /// A client asks to enter that namespace; its socket is called by `random`.
    pub(crate) fn knock(self: &Arc<Self>, peer: Arc<dyn Peer>, name: &str, random: u128, auth: Auth<'_>) {
        if let Some(namespace) = self.fixed.get(name) {
            return namespace.knock(peer, random, auth);
        }
        let ask = Ask { peer, name, random, auth };
        match catch_unwind(AssertUnwindSafe(|| self.choose(&ask, 0))) {
            Ok(Choice::Reached(namespace)) => ask.answer(Ok(namespace)),
            Ok(Choice::Waits(index, decision)) => {
                let Ask { peer, name, random, auth } = ask;
                let (name, auth, this) = (name.to_owned(), auth.into_owned(), self.clone());
                tokio::spawn(async move {
                    let ask = Ask { peer, name: &name, random, auth };
                    let chosen = this.chosen(&ask, index, decision).await;
                    turn::run(|| ask.answer(chosen));
                });
            }
            Err(panic) => ask.answer(Err(panic)),
        }
    }

    /// Asks the families from that one on. One that has made a namespace of this name is the only one.
    fn choose(&self, ask: &Ask<'_>, from: usize) -> Choice {
        let living = self.living(ask.name);
        let mine = |family: &Arc<Family>| living.as_ref().is_none_or(|namespace| namespace.is_of(family));
        for (index, family) in self.families.iter().enumerate().skip(from) {
            if !mine(family) {
                continue;
            }
            match family.pattern.fit(ask.name, ask.peer.handshake(), ask.auth.borrowed()) {
                Fit::Reached(true) => return Choice::Reached(self.child(ask.name, family)),
                Fit::Reached(false) => {}
                Fit::Waits(decision) => return Choice::Waits(index, decision),
            }
        }
        Choice::Reached(None)
    }

    /// Goes on behind a decision that waits, for the family of that number.
    async fn chosen(
        &self,
        ask: &Ask<'_>,
        mut index: usize,
        mut decision: Decision,
    ) -> Result<Option<Namespace>, Panic> {
        loop {
            let polled = poll_fn(|cx| {
                let polled = turn::run(|| catch_unwind(AssertUnwindSafe(|| decision.as_mut().poll(cx))));
                polled.map_or_else(|panic| Poll::Ready(Err(panic)), |polled| polled.map(Ok))
            });
            if polled.await? {
                return Ok(self.child(ask.name, &self.families[index]));
            }
            match catch_unwind(AssertUnwindSafe(|| self.choose(ask, index + 1)))? {
                Choice::Reached(namespace) => return Ok(namespace),
                Choice::Waits(next, waits) => (index, decision) = (next, waits),
            }
        }
    }

    fn living(&self, name: &str) -> Option<Namespace> {
        let namespace = crate::lock(&self.children).get(name).and_then(Weak::upgrade).map(Namespace);
        // Whoever has made it may not have come to that yet.
        namespace.map(Namespace::attached)
    }

    /// The namespace of that name, made if it is not there. None when there is one of another family.
    fn child(&self, name: &str, family: &Arc<Family>) -> Option<Namespace> {
        let namespace = self.living(name).unwrap_or_else(|| self.enlist(self.make(name, family)).attached());
        namespace.is_of(family).then_some(namespace)
    }

    /// The one of its name: what was made, or what another thread has made meanwhile.
    fn enlist(&self, made: Namespace) -> Namespace {
        // Nothing else is locked under this, and none is let go of.
        let mut children = crate::lock(&self.children);
        let there = children.get(made.name()).and_then(Weak::upgrade).map(Namespace);
        there.unwrap_or_else(|| {
            children.insert(made.name().into(), Arc::downgrade(&made.0));
            made.clone()
        })
    }

    fn make(&self, name: &str, family: &Arc<Family>) -> Namespace {
        let origin = Origin { family: family.clone(), children: self.children.clone() };
        Namespace::new(name, family.handlers.clone(), self.settings.clone(), Some(origin))
    }
}

impl Namespace {
    fn is_of(&self, family: &Arc<Family>) -> bool {
        self.0.origin.as_ref().is_some_and(|origin| Arc::ptr_eq(&origin.family, family))
    }
}

impl Ask<'_> {
    fn answer(self, chosen: Result<Option<Namespace>, Panic>) {
        match chosen {
            Ok(Some(namespace)) => namespace.knock(self.peer, self.random, self.auth),
            Ok(None) => self.peer.unknown(self.name),
            Err(panic) => {
                tracing::error!(namespace = self.name, panic = panic_text(&*panic), "a pattern panicked");
                self.peer.refuse(self.name, &Refusal::new("Internal error"));
            }
        }
    }
}

impl Drop for NamespaceCore {
    fn drop(&mut self) {
        let Some(origin) = &self.origin else { return };
        let mut children = crate::lock(&origin.children);
        // A client that came meanwhile has made the next of that name.
        if children.get(&self.name).is_some_and(|child| std::ptr::eq(child.as_ptr(), self)) {
            children.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::namespace::peer::Doorkeeper;
    use encke_protocol::socket::DisconnectReason;

    fn directory(patterns: Vec<Pattern>) -> Arc<Directory> {
        let families = patterns.into_iter().map(|pattern| (pattern, Handlers::default())).collect();
        Arc::new(Directory::new(Settings::new(&Config::default(), None), HashMap::new(), families))
    }

    #[test]
    fn there_is_one_namespace_of_a_name_whoever_comes_and_goes() {
        let directory = directory(vec!["/{room}".into()]);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..3_000 {
                        let peer = Arc::new(Doorkeeper::default());
                        directory.knock(peer.clone(), "/red", 1, Auth::new(None));
                        let socket = peer.admitted();
                        let found = directory.find("/red").expect("somebody is in it");
                        assert!(
                            Arc::ptr_eq(&found.0, &socket.inner.namespace),
                            "what is sent to it is for all"
                        );
                        socket.disconnected(DisconnectReason::ByClient);
                    }
                });
            }
        });
        assert!(crate::lock(&directory.children).is_empty());
    }

    #[test]
    fn one_that_goes_does_not_take_the_next_of_its_name_with_it() {
        let directory = directory(vec!["/{room}".into()]);
        let old = directory.find("/red").expect("fits");
        let gone = Arc::downgrade(&old.0);
        let mut children = crate::lock(&directory.children);
        std::thread::scope(|scope| {
            let going = scope.spawn(move || drop(old));
            while gone.strong_count() > 0 {
                std::thread::yield_now();
            }
            // It waits to take itself out, and a client comes.
            let next = directory.make("/red", &directory.families[0]);
            children.insert("/red".into(), Arc::downgrade(&next.0));
            drop(children);
            going.join().expect("no panic");
            assert!(Arc::ptr_eq(&directory.find("/red").expect("fits").0, &next.0));
        });
    }

    #[test]
    fn a_namespace_stays_that_of_its_family_as_long_as_it_is_there() {
        let directory = directory(vec![Pattern::when(|_, _, auth| auth.text() == "{}"), "/{room}".into()]);
        let enter = |auth| {
            let peer = Arc::new(Doorkeeper::default());
            directory.knock(peer.clone(), "/red", 1, Auth::new(auth));
            peer.let_in()
        };
        let first = enter(None).expect("by the first");
        assert_eq!(first.param("room"), None);
        assert!(enter(Some("[]")).is_none(), "the first says no, and the second is not asked");
        first.disconnected(DisconnectReason::ByClient);
        drop(first);
        assert!(crate::lock(&directory.children).is_empty());
        let second = enter(Some("[]")).expect("by the second");
        assert_eq!(second.param("room"), Some("red"));
        let third = enter(None).expect("by the second too, since that is there");
        assert_eq!(third.param("room"), Some("red"));
    }
}
