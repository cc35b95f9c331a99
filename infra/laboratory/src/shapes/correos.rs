//! Correos: messages of Track&TracePush and answers of trackpub, by a Spanish clock, the oldest event first.

use serde_json::{Value, json};

use super::{Asked, Push, on_a_wall};
use crate::{Milestone, Step};

pub(super) fn push(number: &str, steps: &[Step]) -> Push {
    let events: Vec<Value> = steps
        .iter()
        .map(|step| {
            let (code, _, words) = says(step.milestone);
            json!({ "codEvento": code, "desEvento": words, "fecEvento": day(step), "horEvento": hour(step) })
        })
        .collect();
    Push::json(&json!({ "codEnvio": number, "eventos": events }))
}

pub(super) fn answer(asked: &[Asked<'_>]) -> Value {
    asked.iter().map(|(number, steps)| parcel(number, steps)).collect()
}

fn parcel(number: &str, steps: &[Step]) -> Value {
    let events: Vec<Value> = steps
        .iter()
        .map(|step| {
            let (code, phase, words) = says(step.milestone);
            json!({
                "eventDate": day(step),
                "eventHours": hour(step),
                "eventCode": code,
                "phase": null,
                "phaseDes": phase,
                "summaryText": words,
                "expandedText": null,
                "unit": step.milestone.town().to_uppercase(),
            })
        })
        .collect();
    let error = match events.as_slice() {
        [] => json!({ "codError": 1, "desError": "Envío no encontrado" }),
        [_, ..] => json!({ "codError": 0, "desError": "" }),
    };
    json!({ "code": number, "totalPackage": 1, "numberPackage": 1, "events": events, "error": error, "associatedShipments": [] })
}

/// Code, phase and words.
const fn says(milestone: Milestone) -> (&'static str, &'static str, &'static str) {
    match milestone {
        Milestone::Label => ("A090000V", "PRE-ADMISIÓN", "Prerregistrado"),
        Milestone::PickedUp => ("A010000V", "EN CAMINO", "Admitido"),
        Milestone::InTransit => ("P040000V", "EN CAMINO", "Clasificado"),
        Milestone::Customs => ("E000001V", "EN CAMINO", "Despachado de aduana"),
        Milestone::OutForDelivery => ("H020000V", "EN ENTREGA", "En reparto"),
        Milestone::AttemptFailed => ("H010930R", "EN ENTREGA", "Realizado intento de entrega"),
        Milestone::Delivered => ("I010000V", "ENTREGADO", "Entregado"),
        Milestone::Returned => ("I020000V", "ENTREGADO", "Devuelto al remitente"),
    }
}

fn day(step: &Step) -> String {
    on_a_wall(step.at, "Europe/Madrid").strftime("%d/%m/%Y").to_string()
}

fn hour(step: &Step) -> String {
    on_a_wall(step.at, "Europe/Madrid").strftime("%H:%M:%S").to_string()
}
