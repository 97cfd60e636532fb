// Starts the page; all else is Rust. The build fills in the two names and gives this file a hashed one of its own.
import start from "{{glue}}";

start({ module_or_path: "{{wasm}}" });
