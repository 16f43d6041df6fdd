// SPDX-License-Identifier: GPL-2.0-or-later
// What a refusal of the ESP code is among the reasons for which packets are dropped.
#pragma once

#include "dataplane/pipeline/drop_reason.h"
#include "ipsec/esp/esp_refusal.h"

namespace masugata::dataplane {

[[nodiscard]] constexpr DropReason drop_reason_of(ipsec::EspRefusal refusal) noexcept {
  switch (refusal) {
    case ipsec::EspRefusal::None:
      return DropReason::None;
    case ipsec::EspRefusal::Dummy:
      return DropReason::IpsecDummy;
    case ipsec::EspRefusal::SequenceExhausted:
    case ipsec::EspRefusal::LifetimeExpired:
      return DropReason::IpsecExpired;
    case ipsec::EspRefusal::NoRoom:
    case ipsec::EspRefusal::TooLong:
      return DropReason::IpsecTooLong;
    case ipsec::EspRefusal::TooShort:
    case ipsec::EspRefusal::BadAlignment:
      return DropReason::IpsecMalformed;
    case ipsec::EspRefusal::ReplayOld:
    case ipsec::EspRefusal::ReplayDuplicate:
      return DropReason::IpsecReplay;
    case ipsec::EspRefusal::AuthenticationFailed:
      return DropReason::IpsecAuthentication;
    case ipsec::EspRefusal::BadPadding:
    case ipsec::EspRefusal::BadNextHeader:
    case ipsec::EspRefusal::BadInnerLength:
    case ipsec::EspRefusal::CongestionUnmarkable:
      return DropReason::IpsecInner;
    case ipsec::EspRefusal::WrongDirection:
    case ipsec::EspRefusal::InnerMalformed:
    case ipsec::EspRefusal::InnerFragment:
    case ipsec::EspRefusal::CryptoFailed:
      break;
  }
  return DropReason::InternalError;
}

}  // namespace masugata::dataplane
