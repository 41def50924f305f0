//! WS-Transfer: one instance (DSP0226 clause 7).

use super::Service;
use super::exchange::{Exchange, finish};
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::wire::control::write_requested_epr;
use crate::wire::names::{TRANSFER_PREFIXES, action};
use crate::wire::{cim_fault, write_instance};

/// Get: the whole instance.
pub(super) fn get(service: &Service, exchange: &Exchange<'_>) -> Result<Vec<u8>, Fault> {
    if exchange.control.fragment.is_some() {
        return Err(Fault::detailed(
            FaultKind::UnsupportedFeature,
            FaultDetail::FragmentLevelAccess,
            "fragments are not served; leave the header wsman:FragmentTransfer out and take the whole instance",
        ));
    }
    let target = exchange.target(&service.broker)?;
    let path = exchange.path(&service.broker, &target)?;
    let instance = service.broker.get(exchange.caller, &path).map_err(cim_fault)?;
    let mut message = exchange.reply(action::GET_RESPONSE, TRANSFER_PREFIXES);
    let style = exchange.style(&target.form);
    if exchange.control.request_epr {
        write_requested_epr(message.header(), &service.broker.path_of(&instance), &style);
    }
    write_instance(message.body(), &instance, &style);
    finish(message, FaultDetail::MaxEnvelopeSize)
}
