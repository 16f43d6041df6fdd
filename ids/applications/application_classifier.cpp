// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/applications/application_classifier.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "ids/applications/library.h"

namespace masugata::ids {

struct ApplicationClassifier::Library {
  ndpi_detection_module_struct* module = nullptr;
  ~Library() {
    if (module != nullptr) ndpi_exit_detection_module(module);
  }
};

namespace {

// Final when the library says what it is and has no hope of learning more. A service that is known
// by name (carried by something) will not become another.
Recognition recognition_of(ndpi_detection_module_struct* module, ndpi_flow_struct* flow,
                           const ndpi_protocol& protocol) noexcept {
  if (ndpi_is_protocol_detected(module, protocol) == 0) return Recognition::Undecided;
  if (protocol.master_protocol != NDPI_PROTOCOL_UNKNOWN &&
      protocol.app_protocol != NDPI_PROTOCOL_UNKNOWN) {
    return Recognition::Final;
  }
  if (ndpi_extra_dissection_possible(module, flow) == 0) return Recognition::Final;
  return flow->host_server_name[0] != '\0' ? Recognition::Known : Recognition::Undecided;
}

}  // namespace

ApplicationClassifier::ApplicationClassifier() : library_(std::make_unique<Library>()) {}

ApplicationClassifier::~ApplicationClassifier() = default;

std::unique_ptr<ApplicationClassifier> ApplicationClassifier::create(uint32_t flows) {
  std::unique_ptr<ApplicationClassifier> made(new ApplicationClassifier());
  ndpi_detection_module_struct* module = ndpi_init_detection_module(ndpi_no_prefs);
  if (module == nullptr) return nullptr;
  made->library_->module = module;
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  ndpi_set_protocol_detection_bitmask2(module, &all);
  ndpi_finalize_initialization(module);
  made->catalog_ = std::make_unique<ApplicationCatalog>(*module);
  made->states_.reset(new (std::nothrow) unsigned char[sizeof(ndpi_flow_struct) * size_t{flows}]);
  if (made->states_ == nullptr) return nullptr;
  made->free_.reserve(flows);
  made->flows_ = flows;
  return made;
}

bool ApplicationClassifier::begin(ApplicationFlow& flow) noexcept {
  uint32_t place = used_;
  if (!free_.empty()) {
    place = free_.back();
    free_.pop_back();
  } else if (used_ < flows_) {
    ++used_;
  } else {
    return false;
  }
  unsigned char* bytes = states_.get() + sizeof(ndpi_flow_struct) * size_t{place};
  std::memset(bytes, 0, sizeof(ndpi_flow_struct));
  flow = {};
  flow.state = reinterpret_cast<ndpi_flow_struct*>(bytes);
  ++in_use_;
  return true;
}

Recognition ApplicationClassifier::look(ApplicationFlow& flow, const ApplicationPacket& packet,
                                        const ApplicationBudget& budget,
                                        ApplicationIdentity& identity) noexcept {
  const size_t side = index_of(packet.direction);
  ndpi_detection_module_struct* module = library_->module;
  const auto length = static_cast<uint16_t>(
      std::min<size_t>(packet.network.size(), std::numeric_limits<uint16_t>::max()));
  ndpi_protocol protocol = ndpi_detection_process_packet(module, flow.state, packet.network.data(),
                                                         length, packet.time_ms);
  Recognition recognition = recognition_of(module, flow.state, protocol);
  if (packet.payload_bytes != 0) {
    flow.bytes[side] += packet.payload_bytes;
    ++flow.packets[side];
    const bool spent = flow.packets[side] >= budget.packets || flow.bytes[side] >= budget.bytes;
    if (spent && recognition != Recognition::Final) {
      recognition = Recognition::Final;
      uint8_t guessed = 0;
      // Without guessing by port: a port is not an application.
      if (ndpi_is_protocol_detected(module, protocol) == 0) {
        protocol = ndpi_detection_giveup(module, flow.state, 0, &guessed);
      }
    }
  }
  if (recognition == Recognition::Undecided) return recognition;
  identity.application = catalog_->application_of(protocol.app_protocol);
  identity.carrier = catalog_->application_of(protocol.master_protocol);
  if (identity.application == config::kUnknownApplication) {
    identity = {identity.carrier, config::kUnknownApplication};
  }
  return recognition;
}

std::string_view ApplicationClassifier::host_name(const ApplicationFlow& flow) noexcept {
  if (flow.state == nullptr) return {};
  const char* name = flow.state->host_server_name;
  std::string_view text(name, strnlen(name, sizeof flow.state->host_server_name));
  // HTTP's Host may carry the port.
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && text.find(':') == colon) text = text.substr(0, colon);
  if (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

void ApplicationClassifier::end(ApplicationFlow& flow) noexcept {
  if (flow.state == nullptr) return;
  ndpi_free_flow_data(flow.state);
  const auto offset =
      static_cast<size_t>(reinterpret_cast<unsigned char*>(flow.state) - states_.get());
  free_.push_back(static_cast<uint32_t>(offset / sizeof(ndpi_flow_struct)));
  flow.state = nullptr;
  --in_use_;
}

}  // namespace masugata::ids
