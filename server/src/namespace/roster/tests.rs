//! Selections against a model that asks of every socket whether it is meant.

use super::*;
use crate::namespace::peer::Doorkeeper;
use crate::namespace::{Auth, Handlers, Namespace};
use encke_protocol::socket::DisconnectReason;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

const ROOMS: [&str; 4] = ["red", "green", "blue", "nobody's"];
const SOCKETS: usize = 12;

fn enter(namespace: &Namespace, random: usize) -> Socket {
    let peer = Arc::new(Doorkeeper::default());
    namespace.knock(peer.clone(), random as u128, Auth::new(None));
    peer.admitted()
}

fn heard(namespace: &Namespace, selection: &Selection) -> Vec<SocketId> {
    let mut heard = Vec::new();
    if let Some(audience) = namespace.0.roster.audience(selection) {
        audience.each(|socket| heard.push(socket.id()));
    }
    heard.sort_unstable();
    heard
}

fn is_meant(selection: &Selection, id: SocketId, rooms: &BTreeSet<usize>) -> bool {
    let is_in = |group: &Group| {
        group.sockets.contains(&id)
            || rooms.iter().any(|room| group.rooms.iter().any(|name| **name == *ROOMS[*room]))
    };
    selection.among.as_ref().is_none_or(is_in) && !is_in(&selection.except)
}

fn selections() -> impl Strategy<Value = Selection> {
    let group = || {
        let rooms = prop::collection::vec(prop::sample::select(&ROOMS[..]), 0..4);
        let sockets = prop::collection::vec(0..SOCKETS + 2, 0..12);
        (rooms, prop_oneof![3 => Just(Vec::new()), 1 => sockets])
    };
    (prop::option::of(group()), group()).prop_map(|(among, except)| {
        let mut selection = Selection::default();
        if let Some((rooms, sockets)) = among {
            selection.to(rooms);
            sockets.into_iter().for_each(|socket| selection.add_socket(SocketId::new(socket as u128)));
        }
        selection.except(except.0);
        except.1.into_iter().for_each(|socket| selection.except_socket(SocketId::new(socket as u128)));
        selection
    })
}

proptest! {
    #[test]
    fn a_selection_means_each_of_its_sockets_once_and_nobody_else(
        steps in prop::collection::vec((0..SOCKETS, 0..ROOMS.len() - 1, 0..8), 0..60),
        selections in prop::collection::vec(selections(), 1..8),
    ) {
        let namespace = Namespace::on_trial(Handlers::default());
        let mut sockets: Vec<_> = (0..SOCKETS).map(|id| (enter(&namespace, id), BTreeSet::new())).collect();
        for (index, room, what) in steps {
            let (socket, rooms) = &mut sockets[index];
            match what {
                0 => {
                    socket.disconnected(DisconnectReason::ByClient);
                    *socket = enter(&namespace, index);
                    rooms.clear();
                }
                1 | 2 => {
                    socket.leave(ROOMS[room]);
                    rooms.remove(&room);
                }
                _ => {
                    socket.join(ROOMS[room]);
                    rooms.insert(room);
                }
            }
        }
        for selection in &selections {
            let meant = sockets.iter().filter(|(socket, rooms)| is_meant(selection, socket.id(), rooms));
            let meant: Vec<SocketId> = meant.map(|(socket, _)| socket.id()).collect();
            prop_assert_eq!(heard(&namespace, selection), meant);
        }
        let named: BTreeSet<Arc<str>> = namespace.rooms().into_iter().collect();
        let taken = sockets.iter().flat_map(|(_, rooms)| rooms);
        prop_assert_eq!(named, taken.map(|room| ROOMS[*room].into()).collect());
    }
}

#[test]
fn rooms_named_in_any_order_by_many_threads_do_not_block_each_other() {
    let namespace = Namespace::on_trial(Handlers::default());
    let sockets: Vec<Socket> = (0..SOCKETS).map(|id| enter(&namespace, id)).collect();
    let (sender, ended) = mpsc::channel();
    for turn in 0..4 {
        let (namespace, sockets, sender) = (namespace.clone(), sockets.clone(), sender.clone());
        std::thread::spawn(move || {
            for step in 0..2_000 {
                let room = ROOMS[(turn + step) % 3];
                sockets[(turn * 3 + step) % SOCKETS].join(room);
                let mut selection = Selection::default();
                (0..3).for_each(|next| selection.to(ROOMS[(turn + next) % 3]));
                selection.except(ROOMS[step % 4]);
                selection.add_socket(sockets[step % SOCKETS].id());
                heard(&namespace, &selection);
                sockets[step % SOCKETS].leave(room);
            }
            sender.send(()).expect("the test waits");
        });
    }
    (0..4).for_each(|_| {
        ended.recv_timeout(Duration::from_secs(60)).expect("no lock is waited for in a circle")
    });
}

#[test]
fn all_members_of_a_room_see_one_order_whatever_else_is_named() {
    const EACH: usize = 300;
    let namespace = Namespace::on_trial(Handlers::default());
    let sockets: Vec<Socket> = (0..SOCKETS).map(|id| enter(&namespace, id)).collect();
    sockets.iter().for_each(|socket| socket.join("blue"));
    sockets.iter().step_by(2).for_each(|socket| socket.join("red"));
    let heard: HashMap<SocketId, Mutex<Vec<(usize, usize)>>> =
        sockets.iter().map(|socket| (socket.id(), Mutex::default())).collect();
    std::thread::scope(|scope| {
        let selections = [&["red", "blue"][..], &["blue", "green", "red"], &["blue"]];
        for (speaker, rooms) in selections.into_iter().enumerate() {
            let (namespace, heard) = (&namespace, &heard);
            scope.spawn(move || {
                let mut selection = Selection::default();
                selection.to(rooms);
                for number in 0..EACH {
                    let audience = namespace.0.roster.audience(&selection).expect("somebody");
                    audience.each(|socket| {
                        crate::lock(&heard[&socket.id()]).push((speaker, number));
                        std::thread::yield_now();
                    });
                }
            });
        }
    });
    let first = crate::lock(&heard[&sockets[0].id()]);
    assert_eq!(first.len(), 3 * EACH);
    let others = sockets[1..].iter().map(|socket| crate::lock(&heard[&socket.id()]));
    others.for_each(|other| assert!(*other == *first, "another order"));
}

#[test]
fn a_socket_is_found_by_its_id_while_it_is_there() {
    let namespace = Namespace::on_trial(Handlers::default());
    let (first, second) = (enter(&namespace, 1), enter(&namespace, 2));
    assert_eq!(namespace.find(first.id()), Some(first.clone()));
    first.disconnected(DisconnectReason::ByClient);
    assert_eq!(namespace.find(first.id()), None);
    // Where the first one stood.
    let third = enter(&namespace, 3);
    assert_eq!((namespace.find(first.id()), namespace.find(third.id())), (None, Some(third)));
    assert_eq!(namespace.find(second.id()), Some(second));
    assert_eq!(namespace.len(), 2);
}
