//! What a request is answered that is not as it should be, and which pages may ask at all.

use crate::echo;
use crate::support::{Http, PATH, Polling, UPGRADE, Ws, start};
use encke_server::Origins;

const ORIGIN_NOT_ALLOWED: &str = r#"{"code":4,"message":"Origin not allowed"}"#;

#[tokio::test]
async fn every_refusal_has_its_code() {
    let running = start(echo()).await;
    let unknown = "sid=.0.AAAAAAAAAAAAAAAAAAAAAA";
    let cases: [(&str, &str, String, &str, u16, &str); 14] = [
        (
            "GET",
            "",
            "/socket.io/?EIO=4&transport=carrier-pigeon".into(),
            "",
            400,
            r#"{"code":0,"message":"Transport unknown"}"#,
        ),
        ("GET", "", "/socket.io/?EIO=4".into(), "", 400, r#"{"code":0,"message":"Transport unknown"}"#),
        ("GET", "", "/socket.io/".into(), "", 400, r#"{"code":0,"message":"Transport unknown"}"#),
        (
            "GET",
            "",
            format!("{PATH}&transport=polling&{unknown}"),
            "",
            400,
            r#"{"code":1,"message":"Session ID unknown"}"#,
        ),
        (
            "POST",
            "",
            format!("{PATH}&transport=polling&{unknown}"),
            "4",
            400,
            r#"{"code":1,"message":"Session ID unknown"}"#,
        ),
        (
            "GET",
            UPGRADE,
            format!("{PATH}&transport=websocket&{unknown}"),
            "",
            400,
            r#"{"code":1,"message":"Session ID unknown"}"#,
        ),
        (
            "POST",
            "",
            format!("{PATH}&transport=polling"),
            "4",
            400,
            r#"{"code":2,"message":"Bad handshake method"}"#,
        ),
        (
            "PUT",
            "",
            format!("{PATH}&transport=polling"),
            "4",
            400,
            r#"{"code":2,"message":"Bad handshake method"}"#,
        ),
        ("GET", "", format!("{PATH}&transport=websocket"), "", 400, r#"{"code":3,"message":"Bad request"}"#),
        (
            "GET",
            UPGRADE,
            format!("{PATH}&transport=polling"),
            "",
            400,
            r#"{"code":3,"message":"Bad request"}"#,
        ),
        (
            "GET",
            "Upgrade: websocket\r\nConnection: Upgrade\r\n",
            format!("{PATH}&transport=websocket"),
            "",
            400,
            r#"{"code":3,"message":"Bad request"}"#,
        ),
        (
            "GET",
            "Origin: http://elsewhere\r\n",
            format!("{PATH}&transport=polling"),
            "",
            403,
            ORIGIN_NOT_ALLOWED,
        ),
        (
            "GET",
            "",
            "/socket.io/?EIO=3&transport=polling".into(),
            "",
            400,
            r#"{"code":5,"message":"Unsupported protocol version"}"#,
        ),
        (
            "GET",
            "",
            "/socket.io/?transport=polling".into(),
            "",
            400,
            r#"{"code":5,"message":"Unsupported protocol version"}"#,
        ),
    ];
    for (method, headers, target, body, status, answer) in cases {
        let response =
            Http::open(running.address).await.request(method, &target, headers, body.as_bytes()).await;
        assert_eq!((response.status, response.body.as_str()), (status, answer), "{method} {target}");
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_session_answers_no_other_methods_and_goes_on() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    for method in ["PUT", "DELETE", "PATCH"] {
        let response = Http::open(running.address).await.request(method, &client.target(), "", b"").await;
        assert_eq!(response.body, r#"{"code":3,"message":"Bad request"}"#, "{method}");
    }
    client.post(r#"421["echo",1]"#).await;
    assert_eq!(client.poll().await, "431[1]");
}

#[tokio::test]
async fn the_path_works_with_and_without_a_slash() {
    let running = start(echo().path("/other")).await;
    for target in ["/other?EIO=4&transport=polling", "/other/?EIO=4&transport=polling"] {
        assert_eq!(Http::open(running.address).await.request("GET", target, "", b"").await.status, 200);
    }
    let elsewhere =
        Http::open(running.address).await.request("GET", &format!("{PATH}&transport=polling"), "", b"").await;
    assert_eq!(elsewhere.status, 404);
}

#[tokio::test]
async fn a_foreign_page_may_neither_poll_nor_open_a_websocket() {
    let running = start(echo()).await;
    let target = format!("{PATH}&transport=websocket");
    let headers = format!("Origin: http://evil\r\n{UPGRADE}");
    let response = Http::open(running.address).await.request("GET", &target, &headers, b"").await;
    assert_eq!((response.status, response.body.as_str()), (403, ORIGIN_NOT_ALLOWED));
    let own = format!("Origin: http://server\r\n{UPGRADE}");
    assert_eq!(Http::open(running.address).await.request("GET", &target, &own, b"").await.status, 101);
}

#[tokio::test]
async fn a_foreign_page_may_read_why_it_is_refused_and_nothing_else() {
    let running = start(echo().credentials(true)).await;
    let target = format!("{PATH}&transport=polling");
    let mut http = Http::open(running.address).await;
    let preflight = http.request("OPTIONS", &target, "Origin: http://evil\r\n", b"").await;
    assert_eq!(preflight.status, 204, "else the browser would not ask, and nobody would learn why");
    let refused = http.request("GET", &target, "Origin: http://evil\r\n", b"").await;
    assert_eq!((refused.status, refused.body.as_str()), (403, ORIGIN_NOT_ALLOWED));
    for answer in [preflight, refused] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("http://evil"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert!(answer.head.contains("vary: Origin"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_foreign_page_may_neither_load_scripts_nor_send_forms() {
    let running = start(echo()).await;
    let target = format!("{PATH}&transport=polling&j=0");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (method, page) in [
        ("GET", "Referer: http://evil/\r\n"),
        ("GET", "Sec-Fetch-Site: cross-site\r\n"),
        ("GET", "Origin: http://evil\r\n"),
        ("POST", "Origin: http://evil\r\n"),
        ("POST", "Origin: null\r\n"),
    ] {
        let headers = format!("{page}{form}");
        let refused = Http::open(running.address).await.request(method, &target, &headers, b"d=4").await;
        assert_eq!((refused.status, refused.body.as_str()), (403, ORIGIN_NOT_ALLOWED), "{method} {page}");
        assert_eq!(refused.header("content-type"), Some("application/json"));
        assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_session_by_an_image() {
    let running = start(echo()).await;
    let target = format!("{PATH}&transport=polling");
    for (page, status) in [("cross-site", 403), ("same-origin", 200), ("none", 200)] {
        let headers = format!("Sec-Fetch-Site: {page}\r\n");
        let answer = Http::open(running.address).await.request("GET", &target, &headers, b"").await;
        assert_eq!(answer.status, status, "{page}");
    }
}

#[tokio::test]
async fn only_an_allowed_page_may_run_a_script() {
    let origins = || Origins::Listed(vec!["http://friend".to_owned()]);
    let target = format!("{PATH}&transport=polling&j=0");
    let running = start(echo().origins(origins())).await;
    for (page, policy) in [
        ("Referer: http://server/room\r\n", "same-origin"),
        ("Sec-Fetch-Site: same-origin\r\n", "same-origin"),
        ("Referer: http://friend/room\r\n", "cross-origin"),
    ] {
        let script = Http::open(running.address).await.request("GET", &target, page, b"").await;
        assert_eq!(script.status, 200, "{page}");
        assert_eq!(script.header("cross-origin-resource-policy"), Some(policy), "{page}");
        assert_eq!(script.header("access-control-allow-origin"), None, "{page}");
    }
}

#[tokio::test]
async fn a_script_of_an_unknown_page_is_served_unless_there_is_something_to_guard() {
    let target = format!("{PATH}&transport=polling&j=0");
    let listed = || Origins::Listed(vec!["http://friend".to_owned()]);
    for (server, status, may_run) in [
        (echo(), 200, "same-origin"),
        (echo().origins(Origins::Any), 200, "cross-origin"),
        (echo().origins(listed()), 403, "same-origin"),
        (echo().origins(Origins::Any).credentials(true), 403, "same-origin"),
        (echo().origins(listed()).unidentified_jsonp(true), 200, "cross-origin"),
        (echo().unidentified_jsonp(false), 403, "same-origin"),
    ] {
        let running = start(server).await;
        let answer = Http::open(running.address).await.request("GET", &target, "", b"").await;
        let policy = answer.header("cross-origin-resource-policy");
        assert_eq!((answer.status, policy), (status, Some(may_run)), "{running:?}");
    }
}

#[tokio::test]
async fn a_listed_page_is_told_that_it_may_read() {
    let origins = Origins::Listed(vec!["http://friend".to_owned()]);
    let running = start(echo().origins(origins).credentials(true)).await;
    let target = format!("{PATH}&transport=polling");
    for (method, status) in [("OPTIONS", 204), ("GET", 200)] {
        let response = Http::open(running.address)
            .await
            .request(method, &target, "Origin: http://friend\r\n", b"")
            .await;
        assert_eq!(response.status, status);
        assert_eq!(response.header("access-control-allow-origin"), Some("http://friend"));
        assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
        assert!(response.head.contains("vary: Origin"), "{response:?}");
        assert_eq!(response.header("access-control-allow-methods").is_some(), method == "OPTIONS");
    }
}

#[tokio::test]
async fn another_websocket_version_is_told_which_one_there_is() {
    let running = start(echo()).await;
    let headers = UPGRADE.replace("Version: 13", "Version: 8");
    let target = format!("{PATH}&transport=websocket");
    let response = Http::open(running.address).await.request("GET", &target, &headers, b"").await;
    assert_eq!((response.status, response.header("sec-websocket-version")), (400, Some("13")));
}

#[tokio::test]
async fn a_full_server_says_so_until_somebody_leaves() {
    let limits = encke_server::Limits { max_sessions: 1, ..encke_server::Limits::default() };
    let running = start(echo().limits(limits)).await;
    let mut first = Ws::join(running.address).await;
    for (transport, headers) in [("polling", ""), ("websocket", UPGRADE)] {
        let target = format!("{PATH}&transport={transport}");
        assert_eq!(Http::open(running.address).await.request("GET", &target, headers, b"").await.status, 503);
    }
    first.raw(&crate::support::masked(0x88, b"")).await;
    first.close_code().await;
    Ws::join(running.address).await;
}
