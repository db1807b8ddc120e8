//! Who may be connected: so many in all, so many from one address.
//!
//! When all seats are taken, a newcomer gets the seat of whoever has not asked for anything yet, if that one comes from an
//! address with more seats than the newcomer's. So a crowd of silent connections from a few addresses keeps nobody out.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::settings::networks::household;

/// All seats of a gate.
#[derive(Debug)]
pub struct Seats {
    most: usize,
    per_address: usize,
    taken: Mutex<Vec<Taken>>,
}

#[derive(Debug)]
struct Taken {
    network: IpAddr,
    /// No whole request has come from here.
    is_silent: bool,
    leave: Arc<Notify>,
}

/// One connection's seat; free again when dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    leave: Arc<Notify>,
}

impl Seats {
    pub fn new(most: usize, per_address: usize) -> Self {
        Self { most, per_address, taken: Mutex::default() }
    }

    /// A seat for a connection from `peer`, if one is free or becomes free.
    pub fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Seat> {
        let network = household(peer);
        let mut taken = self.taken();
        let count = |network: IpAddr| taken.iter().filter(|seat| seat.network == network).count();
        let own = count(network);
        if own >= self.per_address {
            return None;
        }
        if taken.len() >= self.most {
            // The first of the largest crowd: seats are in the order in which they were taken.
            let mut victim = None;
            for (at, seat) in taken.iter().enumerate().filter(|(_, seat)| seat.is_silent) {
                let crowd = count(seat.network);
                if victim.is_none_or(|(_, largest)| crowd > largest) {
                    victim = Some((at, crowd));
                }
            }
            let (at, _) = victim.filter(|(_, crowd)| *crowd > own + 1)?;
            taken.remove(at).leave.notify_one();
        }
        let leave = Arc::new(Notify::new());
        taken.push(Taken { network, is_silent: true, leave: leave.clone() });
        drop(taken);
        Some(Seat { seats: self.clone(), leave })
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// A whole request has come: from here on nobody takes this seat.
    pub fn asked(&self) {
        for seat in self.seats.taken().iter_mut().filter(|seat| Arc::ptr_eq(&seat.leave, &self.leave)) {
            seat.is_silent = false;
        }
    }

    /// Returns when another one got this seat.
    pub async fn lost(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().retain(|seat| !Arc::ptr_eq(&seat.leave, &self.leave));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_a_few_seats() {
        let seats = Arc::new(Seats::new(10, 2));
        let first = seats.take(address("2001:db8::1")).unwrap();
        let _second = seats.take(address("2001:db8::2")).unwrap();
        assert!(seats.take(address("2001:db8::3")).is_none());
        let _other = seats.take(address("2001:db8:0:1::3")).unwrap();
        drop(first);
        let _again = seats.take(address("2001:db8::3")).unwrap();
        let _plain = seats.take(address("192.0.2.1")).unwrap();
        let _mapped = seats.take(address("::ffff:192.0.2.1")).unwrap();
        assert!(seats.take(address("192.0.2.1")).is_none());
        assert_eq!(seats.taken().len(), 5);
    }

    #[test]
    fn a_newcomer_gets_the_seat_of_a_silent_crowd() {
        let seats = Arc::new(Seats::new(4, 3));
        let crowd: Vec<_> = (0..3).map(|_| seats.take(address("192.0.2.1")).unwrap()).collect();
        crowd[0].asked();
        let _single = seats.take(address("192.0.2.2")).unwrap();
        let newcomer = seats.take(address("192.0.2.3")).unwrap();
        assert_eq!(seats.taken().len(), 4);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(crowd[1].lost());
        let second = seats.take(address("192.0.2.4")).unwrap();
        assert!(seats.take(address("192.0.2.5")).is_none(), "a single seat is no crowd, and who asked stays");
        drop((crowd, newcomer, second));
        assert_eq!(seats.taken().len(), 1);
    }
}
