//! Who makes room for a new connection when all places are taken.
//!
//! Strangers first: whoever has not yet shown who they are. Of them those of the network that holds most places, before their
//! handshake or after it, whichever are more, and there whoever has been there for longest; so whoever floods makes room for
//! others, and a client that shows who it is within its first requests gets through. Then whoever is known and has asked for nothing for longest. A connection of somebody known
//! whose request is being answered stays.

use std::collections::HashMap;
use std::net::IpAddr;

/// One in so many of the strangers of a network go at once, so that a flood does not cost a look at everybody for each.
const SHARE: usize = 64;

/// What counts of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The network that it comes from.
    pub(super) network: IpAddr,
    pub(super) standing: Standing,
    /// Grows from one connection to the next, and for those who are known with each request.
    pub(super) order: u64,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    /// Nobody knows: the handshake is not over.
    Silent,
    /// Nobody knows: no request was let in.
    Stranger,
    /// Somebody who showed who they are and waits for nothing.
    Known,
    /// The same with a request that is being answered.
    Busy,
}

/// Which of the places are to be given up for a new one, by their indices; none if nobody has to make room.
pub(super) fn give_up(places: &[Place]) -> Vec<usize> {
    let strangers = greediest_strangers(places);
    if !strangers.is_empty() {
        return strangers;
    }
    let known = places.iter().enumerate().filter(|(_, place)| place.standing == Standing::Known);
    known.min_by_key(|(_, place)| place.order).map(|(at, _)| at).into_iter().collect()
}

/// The oldest strangers of the kind and network that has most of them: one, or a share of many.
fn greediest_strangers(places: &[Place]) -> Vec<usize> {
    let is_stranger = |place: &Place| matches!(place.standing, Standing::Silent | Standing::Stranger);
    let mut kinds: HashMap<(IpAddr, Standing), (usize, u64)> = HashMap::new();
    for place in places.iter().filter(|place| is_stranger(place)) {
        let (count, oldest) = kinds.entry((place.network, place.standing)).or_insert((0, u64::MAX));
        (*count, *oldest) = (*count + 1, place.order.min(*oldest));
    }
    // Of those that hold the same number, the one whose oldest is older.
    let greediest = kinds.iter().max_by_key(|(_, (count, oldest))| (*count, u64::MAX - *oldest));
    let Some((&kind, &(count, _))) = greediest else { return Vec::new() };
    let of_kind = places.iter().enumerate().filter(|(_, place)| (place.network, place.standing) == kind);
    let mut of_kind: Vec<(u64, usize)> = of_kind.map(|(at, place)| (place.order, at)).collect();
    of_kind.sort_unstable();
    of_kind.into_iter().take((count / SHARE).max(1)).map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(network: u8, standing: Standing, order: u64) -> Place {
        Place { network: [192, 0, 2, network].into(), standing, order }
    }

    #[test]
    fn the_oldest_stranger_of_the_greediest_network_makes_room() {
        use Standing::{Busy, Known, Stranger};
        let places = [
            place(1, Known, 0),
            place(2, Stranger, 1),
            place(3, Stranger, 5),
            place(3, Stranger, 4),
            place(3, Known, 2),
            place(4, Busy, 3),
        ];
        assert_eq!(give_up(&places), [3]);
        // Those who hold one each: the older goes.
        assert_eq!(give_up(&places[..3]), [1]);
    }

    #[test]
    fn those_before_their_handshake_and_those_after_it_leave_each_other_half() {
        use Standing::{Silent, Stranger};
        let places = [place(1, Silent, 2), place(1, Stranger, 0), place(1, Silent, 3), place(1, Stranger, 1)];
        assert_eq!(give_up(&places[..3]), [0], "two before it");
        assert_eq!(give_up(&places), [1], "the oldest, where there are as many");
        assert_eq!(give_up(&places[1..]), [0], "two after it");
    }

    #[test]
    fn without_strangers_whoever_asked_for_nothing_for_longest_makes_room() {
        use Standing::{Busy, Known};
        let places = [place(1, Known, 7), place(2, Busy, 1), place(2, Known, 6), place(3, Known, 8)];
        assert_eq!(give_up(&places), [2]);
        assert!(give_up(&[place(1, Busy, 1), place(2, Busy, 2)]).is_empty());
        assert!(give_up(&[]).is_empty());
    }

    #[test]
    fn of_a_flood_a_share_goes_at_once_and_nobody_else() {
        let mut places: Vec<Place> = (0..640).map(|order| place(9, Standing::Stranger, 1000 - order)).collect();
        places.push(place(1, Standing::Stranger, 0));
        let gone = give_up(&places);
        assert_eq!(gone, (630..640).rev().collect::<Vec<_>>());
    }

    /// However many come, whoever has shown who they are stays, and a newcomer of a quiet network has the time of all
    /// those of the flood.
    #[test]
    fn a_flood_passes_by_those_who_are_known_and_those_of_quiet_networks() {
        const LIMIT: usize = 400;
        let (good, quiet) = (place(1, Standing::Known, 0), place(2, Standing::Stranger, 1));
        let mut places = vec![good, quiet];
        for order in 2..50_000 {
            while places.len() >= LIMIT {
                let mut gone = give_up(&places);
                assert!(!gone.is_empty());
                gone.sort_unstable();
                for at in gone.into_iter().rev() {
                    places.remove(at);
                }
            }
            places.push(place(9, Standing::Stranger, order));
        }
        assert!(places.iter().any(|place| place.network == good.network));
        assert!(places.iter().any(|place| place.network == quiet.network));
    }
}
