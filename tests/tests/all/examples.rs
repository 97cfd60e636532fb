//! The examples of the server library do what they say, for an official client.

use crate::from_environment;
use encke_tests::program::{GUARD, Program};
use tokio::process::Command;

async fn start(example: &str) -> Program {
    let path = format!("{}/{example}", from_environment("ENCKE_EXAMPLES"));
    Program::start(&path, &["0"]).await
}

/// The client exits with success when all it expected came true.
async fn does_what_it_says(example: &str, server: &Program) {
    let client = Command::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/examples.cjs"))
        .args([server.url(), example])
        .env("NODE_PATH", from_environment("ENCKE_PEERS"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(GUARD, client).await.expect("it ends").expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{example}: {}\n{out}{err}", output.status);
}

macro_rules! examples {
    ($($example:ident),+) => { $(
        #[tokio::test]
        async fn $example() {
            let example = stringify!($example);
            does_what_it_says(example, &start(example).await).await;
        }
    )+ };
}

examples!(echo, rooms, acks, auth, binary, typed);

#[tokio::test]
async fn embedding() {
    let server = start("embedding").await;
    does_what_it_says("embedding", &server).await;
    assert!(server.interrupt().await.success(), "it ends when asked");
}
