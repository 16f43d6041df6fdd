// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/ipsec_gate.h"

namespace masugata::dataplane {

Status IpsecGate::prepare(uint16_t worker) {
  if (esp_ != nullptr) return {};
  auto esp = ipsec::EspWorker::create();
  if (!esp) return tl::unexpected(esp.error());
  large_.prepare();
  worker_ = worker;
  esp_ = std::move(*esp);
  return {};
}

void IpsecGate::take(const IpsecView* view) noexcept {
  view_ = view;
  if (view == nullptr) return;
  for (const ViewedSa& viewed : view->sas) {
    InstalledSa& installed = *viewed.installed;
    if (installed.owner != worker_ || installed.applied_serial == viewed.outer.serial) continue;
    installed.applied_serial = viewed.outer.serial;
    installed.way.known = false;
    installed.sa->set_outer(viewed.outer.local, viewed.outer.remote, viewed.outer.udp);
  }
  adopted_.store(view->generation, std::memory_order_release);
}

// The first worker sends; who owns the SA encrypts.
bool IpsecGate::begins_probe() noexcept {
  if (view_ == nullptr || worker_ != 0 || view_->probe.serial == probes_sent_) return false;
  probes_sent_ = view_->probe.serial;
  return probes_sent_ != 0;
}

bool IpsecGate::take_probe_answer(InterfaceIndex tunnel, std::span<const uint8_t> packet) noexcept {
  const ViewedProbe& probe = view_->probe;
  if (tunnel != probe.tunnel) return false;
  const std::optional<ProbeAnswer> answer = read_probe_answer(packet, probe.identifier);
  if (!answer || answer->to != probe.source) return false;
  // A full ring loses it, as the way may.
  (void)probe_answers_.push(*answer);
  return true;
}

void IpsecGate::ask_for_sa(uint32_t request_id, const SelectorFacts& facts,
                           uint64_t now_ms) noexcept {
  Asked& asked = asked_[request_id % asked_.size()];
  if (asked.request_id == request_id && now_ms - asked.at_ms < kRecordPeriod_ms) return;
  // A full ring loses the question; the next packet asks again.
  if (acquires_.push({request_id, facts})) asked = {request_id, now_ms};
}

void IpsecGate::note_mapping(InstalledSa& sa, const net::IpAddress& remote, uint16_t remote_port,
                             uint64_t now_ms) noexcept {
  if (sa.mapping_noted_ms != 0 && now_ms - sa.mapping_noted_ms < kRecordPeriod_ms) return;
  if (mappings_.push({sa.name, remote, remote_port})) sa.mapping_noted_ms = now_ms;
}

}  // namespace masugata::dataplane
