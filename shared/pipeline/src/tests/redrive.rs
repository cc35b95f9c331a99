//! Redrive: a dead letter goes back once, however often it is tried.

use domain::ports::{Enqueue, SendAnswer, Unavailable};
use domain::{Channel, DeliveryRequest, State};
use jiff::SignedDuration;
use std::cell::RefCell;
use testkit::{ScriptedCourier, at, confirmation};

use super::{House, NOW};
use crate::{Letter, Redrive, Redriven};

#[derive(Default)]
struct Queue {
    texts: RefCell<Vec<String>>,
    is_out_of_reach: bool,
}

impl Enqueue for Queue {
    async fn enqueue(&self, texts: &[String]) -> Vec<Result<(), Unavailable>> {
        if self.is_out_of_reach {
            return texts
                .iter()
                .map(|_| {
                    Err(Unavailable::new(
                        "put a message on its queue",
                        "it is told to be out of reach",
                    ))
                })
                .collect();
        }
        self.texts.borrow_mut().extend(texts.iter().cloned());
        texts.iter().map(|_| Ok(())).collect()
    }
}

async fn redrive(house: &House, queue: &Queue, letter: &Letter) -> Result<Redriven, Unavailable> {
    let redrive = Redrive {
        ledger: &house.ledger,
        queue,
        clock: &house.clock,
        by: "ana",
    };
    redrive.delivery(letter).await
}

/// An e-mail that used up its tries, and its letter.
async fn parked(house: &House) -> (DeliveryRequest, Letter) {
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let not_taken = || SendAnswer::NotTaken {
        reason: "no connection".to_owned(),
    };
    let courier = ScriptedCourier::new(Channel::Email, std::iter::repeat_with(not_taken).take(4));
    for owner in ["a", "b", "c", "d"] {
        house.send(owner, &courier, std::slice::from_ref(&request)).await;
        house.clock.advance(SignedDuration::from_mins(15));
    }
    assert_eq!(house.email(&request).state, State::Parked);
    let letter = house.dead_letters.letters.borrow()[0].clone();
    let letter = Letter {
        body: letter.body,
        reason: Some(letter.reason),
    };
    (request, letter)
}

#[tokio::test]
async fn a_parked_delivery_goes_back_under_the_next_generation_and_is_sent_once() {
    let house = House::new();
    let (request, letter) = parked(&house).await;
    house.clock.advance(SignedDuration::from_hours(24 * 20));
    let queue = Queue::default();
    assert_eq!(
        redrive(&house, &queue, &letter).await.unwrap(),
        Redriven::Again(request.id, 1)
    );
    // The same letter once more: nothing tells it from one whose message got lost.
    assert_eq!(
        redrive(&house, &queue, &letter).await.unwrap(),
        Redriven::Again(request.id, 1)
    );
    let courier = ScriptedCourier::new(Channel::Email, []);
    for text in queue.texts.take() {
        let again = DeliveryRequest::from_wire(&text).unwrap();
        house.send("e", &courier, &[again]).await;
    }
    assert_eq!(
        (courier.offered.borrow().len(), house.email(&request).state),
        (1, State::Sent)
    );
    let settled = redrive(&house, &queue, &letter).await.unwrap();
    assert_eq!(settled, Redriven::Settled(request.id, State::Sent));
}

#[tokio::test]
async fn a_redrive_that_broke_off_is_taken_up_again() {
    let house = House::new();
    let (request, letter) = parked(&house).await;
    let broken = Queue {
        is_out_of_reach: true,
        ..Queue::default()
    };
    assert!(redrive(&house, &broken, &letter).await.is_err());
    let queue = Queue::default();
    assert_eq!(
        redrive(&house, &queue, &letter).await.unwrap(),
        Redriven::Again(request.id, 1)
    );
    assert_eq!(queue.texts.borrow().len(), 1);
}

#[tokio::test]
async fn a_letter_that_would_come_straight_back_stays() {
    let house = House::new();
    let queue = Queue::default();
    let foreign = Letter {
        body: "{}".to_owned(),
        reason: Some("message: expected a delivery/1 request".to_owned()),
    };
    let stays = redrive(&house, &queue, &foreign).await.unwrap();
    assert_eq!(
        stays,
        Redriven::Stays("message: expected a delivery/1 request".to_owned())
    );
    let event = Redrive {
        ledger: &house.ledger,
        queue: &queue,
        clock: &house.clock,
        by: "ana",
    };
    assert!(matches!(event.event(&foreign).await.unwrap(), Redriven::Stays(_)));
    assert!(queue.texts.borrow().is_empty());
    let killed = Letter {
        reason: None,
        ..foreign
    };
    assert_eq!(event.event(&killed).await.unwrap(), Redriven::Event);
}
