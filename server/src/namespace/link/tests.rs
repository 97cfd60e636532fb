use super::*;
use crate::config::Config;
use crate::namespace::peer::Doorkeeper;
use crate::namespace::{Auth, Directory, Handlers, Settings};
use encke_protocol::socket::DisconnectReason;

fn server(backplane: &Backplane) -> Arc<Directory> {
    let backing = Backing {
        backplane: backplane.clone(),
        server: backplane.add_server(Parser::Json),
        recovery: None,
        unnoticed: 0,
        max_missed: 0,
    };
    let settings = Settings::new(&Config::default(), Some(Arc::new(backing)));
    Arc::new(Directory::new(settings, HashMap::new(), vec![("/{room}".into(), Handlers::default())]))
}

#[test]
fn whoever_has_a_namespace_is_reached_by_other_servers_however_those_come_and_go() {
    let backplane = Backplane::new();
    std::thread::scope(|scope| {
        for directory in [server(&backplane), server(&backplane)] {
            for _ in 0..2 {
                let (directory, backplane) = (directory.clone(), &backplane);
                scope.spawn(move || {
                    for _ in 0..3_000 {
                        let peer = Arc::new(Doorkeeper::default());
                        directory.knock(peer.clone(), "/red", 1, Auth::new(None));
                        let socket = peer.admitted();
                        let core = &socket.inner.namespace;
                        let link = core.link.as_ref().expect("shared");
                        let reached = link.hold().nodes_but(u32::MAX);
                        let mine = reached.iter().filter(|other| Arc::ptr_eq(other, core)).count();
                        let same_server = |other: &&Arc<NamespaceCore>| {
                            other.link.as_ref().is_some_and(|other| other.server == link.server)
                        };
                        assert_eq!((mine, reached.iter().filter(same_server).count()), (1, 1));
                        let there = crate::lock(&backplane.0.commons).get("/red").and_then(Weak::upgrade);
                        assert!(Arc::ptr_eq(&there.expect("somebody is in it"), &link.common));
                        drop(reached);
                        socket.disconnected(DisconnectReason::ByClient);
                    }
                });
            }
        }
    });
    assert!(crate::lock(&backplane.0.commons).is_empty());
}

#[test]
fn one_server_looks_for_those_whom_nobody_has_come_back_for_once_a_period() {
    let servers = Backplane::new().0;
    assert_eq!(
        [0, 0, SWEEP_PERIOD - 1, SWEEP_PERIOD].map(|now| servers.is_due(now)),
        [true, false, false, true]
    );
}
