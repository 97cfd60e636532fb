//! With the allocator of the system.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    socketioxide_peer::run()
}
