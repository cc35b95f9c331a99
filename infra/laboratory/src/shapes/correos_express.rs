//! Correos Express: an answer tells the states and how the parcel stands, by a Spanish clock.

use serde_json::{Value, json};

use super::{Asked, on_a_wall};
use crate::{Milestone, Step};

pub(super) fn answer((number, steps): Asked<'_>) -> Value {
    let states: Vec<Value> = steps.iter().map(state).collect();
    let Some(Value::Object(mut stands)) = states.last().cloned() else {
        return json!({
            "error": 402,
            "mensajeError": "ENVIO NO ENCONTRADO",
            "numEnvio": "",
            "estadoEnvios": [],
            "bultoSeguimiento": [],
        });
    };
    let fields = [
        ("error", json!(0)),
        ("mensajeError", json!("")),
        ("numEnvio", json!(number)),
        ("numBultos", json!("1")),
        ("estadoEnvios", json!(states)),
        ("bultoSeguimiento", json!([])),
    ];
    stands.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(stands)
}

fn state(step: &Step) -> Value {
    let (code, words) = says(step.milestone);
    let clock = on_a_wall(step.at, "Europe/Madrid");
    // Of what goes wrong, the incident tells: the state stays what it was.
    let incident = match step.milestone == Milestone::AttemptFailed {
        true => ("10", "AUSENTE"),
        false => ("", ""),
    };
    json!({
        "codEstado": code,
        "descEstado": words,
        "fechaEstado": clock.strftime("%d%m%Y").to_string(),
        "horaEstado": clock.strftime("%H%M%S").to_string(),
        "codIncEstado": incident.0,
        "descIncEstado": incident.1,
    })
}

const fn says(milestone: Milestone) -> (&'static str, &'static str) {
    match milestone {
        Milestone::Label => ("1", "SIN RECEPCION"),
        Milestone::PickedUp | Milestone::InTransit | Milestone::Customs => ("2", "EN TRANSITO"),
        Milestone::OutForDelivery | Milestone::AttemptFailed => ("7", "EN REPARTO"),
        Milestone::Delivered => ("12", "ENTREGADO"),
        Milestone::Returned => ("17", "DEVUELTO"),
    }
}
