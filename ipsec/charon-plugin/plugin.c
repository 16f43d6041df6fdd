/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel-masugata: what charon finds when it loads the plugin. */
#include <daemon.h>
#include <plugins/plugin.h>

#include "ipsec/charon-plugin/build_pin.h"
#include "ipsec/charon-plugin/kernel_ipsec.h"

METHOD(plugin_t, get_name, char*, plugin_t* this) { return "kernel-masugata"; }

METHOD(plugin_t, get_features, int, plugin_t* this, plugin_feature_t* features[]) {
  static plugin_feature_t provided[] = {
      PLUGIN_CALLBACK(kernel_ipsec_register, masugata_kernel_ipsec_create),
      PLUGIN_PROVIDE(CUSTOM, "kernel-ipsec"),
  };
  *features = provided;
  return countof(provided);
}

METHOD(plugin_t, destroy, void, plugin_t* this) { free(this); }

/* The name that the loader makes of the plugin's. NULL: not loaded. */
__attribute__((visibility("default"))) plugin_t* kernel_masugata_plugin_create(void) {
  plugin_t* this;
  if (!masugata_daemon_is_ours()) return NULL;
  INIT(this, .get_name = _get_name, .get_features = _get_features, .destroy = _destroy, );
  return this;
}
