// SPDX-License-Identifier: GPL-2.0-or-later
// The flow's ContentReceiver: which parsers have it, and when nothing more will come.
#include "ids/engine/engine_core.h"

namespace masugata::ids {

void FlowInspection::tell_opaque(ApplicationProtocol protocol) noexcept {
  if (content_receiver != nullptr && !told_opaque) {
    told_opaque = true;
    content_receiver->opaque(protocol);
  }
}

void FlowInspection::equip_parser() noexcept {
  if (content_receiver == nullptr) {
    return;
  }
  if (parser) {
    parser->set_content_receiver(content_receiver);
  }
  if (!parser_live || !gives_contents(event.protocol)) {
    tell_opaque(event.protocol);
  }
}

void set_content_receiver(FlowInspection& flow, ContentReceiver* receiver) noexcept {
  flow.content_receiver = receiver;
  flow.told_opaque = false;
  if (receiver == nullptr) {
    if (flow.parser) {
      flow.parser->set_content_receiver(nullptr);
    }
  } else if (flow.detection != FlowInspection::Detection::Pending) {
    flow.equip_parser();
  }
}

bool sides_exchanged(const FlowInspection& flow) noexcept { return flow.reversed; }

// FIN of a side, behind what came of it. Rules are judged as before: only contents that last to the
// end of their connection need it.
void EngineCore::feed_end(Call& call, const StreamBytes& stream) noexcept {
  FlowInspection& flow = *call.flow;
  if (stream.ends && flow.content_receiver != nullptr && flow.parser_live) {
    flow.parser->on_end(flow.reversed ? opposite(stream.direction) : stream.direction);
  }
}

}  // namespace masugata::ids
