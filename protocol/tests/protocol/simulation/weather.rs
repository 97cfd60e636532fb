//! What goes wrong with requests and WebSockets, and how long everything takes.

use super::prng::Prng;

/// What may go wrong, and how long everything takes.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Longest delay of anything that is not slow by fault, in milliseconds.
    pub max_delay: u64,
    pub bad_http: bool,
    pub bad_websocket: bool,
    /// From that moment on nothing new goes wrong.
    pub calm_from: u64,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RequestFate {
    Fine,
    /// It never arrives, and the client is told.
    Lost,
    /// It never arrives, and nobody is told.
    Vanishes,
    /// It arrives late.
    Slow,
    /// The server answers, the client hears of a failure.
    AnswerLost,
    /// Its connection breaks while the server has it.
    Breaks,
}

/// What becomes of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SocketFate {
    Fine,
    Refused,
    NeverOpens,
    /// From that many frames on nothing passes, and nobody is told.
    Hangs {
        frames: u64,
    },
    /// A moment after that many frames it breaks, and both are told.
    Breaks {
        frames: u64,
        loses_what_is_under_way: bool,
    },
}

impl Weather {
    /// What becomes of a request that is made now.
    pub fn request_fate(&self, prng: &mut Prng, now: u64) -> RequestFate {
        if !self.bad_http || now >= self.calm_from || !prng.once_in(25) {
            return RequestFate::Fine;
        }
        match prng.below(5) {
            0 => RequestFate::Lost,
            1 => RequestFate::Vanishes,
            2 => RequestFate::Slow,
            3 => RequestFate::AnswerLost,
            _ => RequestFate::Breaks,
        }
    }

    /// What becomes of a WebSocket.
    pub fn socket_fate(&self, prng: &mut Prng) -> SocketFate {
        if !self.bad_websocket {
            return SocketFate::Fine;
        }
        // The first few frames are the upgrade itself, so most faults are put there.
        let frames = if prng.once_in(3) { prng.below(200) } else { prng.below(5) };
        match prng.below(8) {
            0 => SocketFate::Fine,
            1 => SocketFate::Refused,
            2 => SocketFate::NeverOpens,
            3..=4 => SocketFate::Hangs { frames },
            _ => SocketFate::Breaks { frames, loses_what_is_under_way: prng.once_in(2) },
        }
    }
}
