//! The official client of Socket.IO 2 in browsers, where it is another than in Node: it posts bytes as they are, and can poll by
//! scripts and forms.

use crate::{PEER, from_environment};
use encke_tests::browser::{Engine, Page};
use encke_tests::in_each_engine;
use encke_tests::program::Program;
use serde_json::json;

in_each_engine!(
    version_2_speaks_over_long_polling,
    version_2_speaks_over_websocket,
    version_2_speaks_across_an_upgrade,
    version_2_speaks_over_scripts_and_forms,
);

/// Each kind of argument comes back, and what is sent at once comes back in order.
const TALK: &str = r#"
    const socket = io(location.origin, { path: '/engine-v3', reconnection: false, ...options });
    const told = (event) => new Promise((resolve) => socket.once(event, resolve));
    const failed = Promise.race(['connect_error', 'error', 'disconnect'].map(told)).then((why) => { throw why; });
    const ask = (...words) => Promise.race([failed, new Promise((resolve) => socket.emit('echo', ...words, resolve))]);
    const same = (buffer, bytes) => buffer instanceof ArrayBuffer && String(new Uint8Array(buffer)) === String(bytes);
    const check = (what, holds) => { if (!holds) throw what; };
    (async () => {
        await Promise.race([failed, told('connect')]);
        const odd = '\u00e9\u{1f980}\u2028\u001e\\n</script>';
        check('text', (await ask({ odd, list: [1.5, null] })).odd === odd);
        check('bytes', same(await ask(new Uint8Array([0, 4, 255]).buffer), [0, 4, 255]));
        check('a blob', same(await ask(new Blob(['abc'])), [97, 98, 99]));
        const both = await ask({ deep: [new Uint8Array(0).buffer, { and: new Uint8Array([7]).buffer }] });
        check('nested', same(both.deep[0], []) && same(both.deep[1].and, [7]));
        const numbers = Array.from({ length: 300 }, (_, number) => number);
        check('order', String(await Promise.all(numbers.map((number) => ask(number)))) === String(numbers));
        if (options.transports.length > 1) await new Promise((resolve) => {
            const look = () => (socket.io.engine.transport.name === 'websocket' ? resolve() : setTimeout(look, 10));
            look();
        });
        return `over ${socket.io.engine.transport.name}`;
    })().catch((error) => `failed: ${error}`).then((outcome) => { document.documentElement.dataset.outcome = outcome; });
"#;

async fn speaks(engine: Engine, options: &str, outcome: &str) {
    let server = Program::start(PEER, &["--listen", "127.0.0.1:0"]).await;
    let script = format!("{}/socket.io-client-2/dist/socket.io.js", from_environment("ENCKE_PEERS"));
    let client = std::fs::read_to_string(&script).unwrap_or_else(|error| panic!("{script}: {error}"));
    let page = Page::open(engine).await;
    // Any page of the server's own origin will do.
    page.visit(&format!("{}/socket.io/?EIO=4&transport=polling", server.url())).await;
    // As scripts of the page: those of a driver have classes of their own in Firefox.
    for script in [client, format!("const options = {options}; {TALK}")] {
        let script = json!(script);
        let add =
            "const script = document.createElement('script'); document.head.append(script); script.text =";
        page.run(&format!("{add} {script}")).await;
    }
    page.until("it has an outcome", "return !!document.documentElement.dataset.outcome").await;
    assert_eq!(page.text_of("return document.documentElement.dataset.outcome").await, outcome);
    page.close().await;
}

async fn version_2_speaks_over_long_polling(engine: Engine) {
    speaks(engine, "{ transports: ['polling'] }", "over polling").await;
}

async fn version_2_speaks_over_websocket(engine: Engine) {
    speaks(engine, "{ transports: ['websocket'] }", "over websocket").await;
}

async fn version_2_speaks_across_an_upgrade(engine: Engine) {
    speaks(engine, "{ transports: ['polling', 'websocket'] }", "over websocket").await;
}

async fn version_2_speaks_over_scripts_and_forms(engine: Engine) {
    speaks(engine, "{ transports: ['polling'], forceJSONP: true }", "over polling").await;
}
