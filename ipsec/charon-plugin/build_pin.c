/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "ipsec/charon-plugin/build_pin.h"

#include <elf.h>
#include <library.h>
#include <link.h>
#include <string.h>

/* Given by packaging/charon-plugin/build.sh. */
#ifndef MASUGATA_STRONGSWAN_VERSION
#error "the version of strongSwan is not given"
#endif

enum { kIdBytes = 20, kHexBytes = 2 * kIdBytes + 1 };

typedef struct {
  const char* library; /* name of its file */
  char found[kHexBytes];
} search_t;

static void write_hex(const unsigned char* bytes, size_t size, char* hex) {
  static const char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < size; ++i) {
    *hex++ = kDigits[bytes[i] >> 4];
    *hex++ = kDigits[bytes[i] & 15];
  }
  *hex = '\0';
}

static size_t padded(size_t size) { return (size + 3) & ~(size_t)3; }

/* Notes of an object that the dynamic linker has mapped: trusted to be well-formed. */
static bool find_build_id(const char* notes, size_t size, search_t* search) {
  while (size >= sizeof(ElfW(Nhdr))) {
    const ElfW(Nhdr)* note = (const void*)notes;
    const size_t name_bytes = padded(note->n_namesz);
    const size_t whole = sizeof *note + name_bytes + padded(note->n_descsz);
    if (whole > size) return false;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof "GNU" &&
        memcmp(note + 1, "GNU", sizeof "GNU") == 0 && note->n_descsz == kIdBytes) {
      write_hex((const unsigned char*)(note + 1) + name_bytes, kIdBytes, search->found);
      return true;
    }
    notes += whole;
    size -= whole;
  }
  return false;
}

static int visit(struct dl_phdr_info* object, size_t size, void* data) {
  search_t* search = data;
  const char* slash = strrchr(object->dlpi_name, '/');
  (void)size;
  if (strcmp(slash ? slash + 1 : object->dlpi_name, search->library) != 0) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)* part = &object->dlpi_phdr[i];
    if (part->p_type == PT_NOTE &&
        find_build_id((const char*)(object->dlpi_addr + part->p_vaddr), part->p_memsz, search)) {
      return 1;
    }
  }
  return 0;
}

static bool is_build(const char* library, const char* expected) {
  search_t search = {.library = library};
  dl_iterate_phdr(visit, &search);
  if (strcmp(search.found, expected) == 0) return true;
  DBG1(DBG_KNL,
       "kernel-masugata was built for strongSwan %s, whose %s has build id %s; this daemon has "
       "build id %s: refusing to load. Build the plugin anew (packaging/charon-plugin/build.sh)",
       MASUGATA_STRONGSWAN_VERSION, library, expected,
       search.found[0] ? search.found : "of no known place");
  return false;
}

bool masugata_daemon_is_ours(void) {
  return is_build("libstrongswan.so.0", MASUGATA_LIBSTRONGSWAN_BUILD_ID) &&
         is_build("libcharon.so.0", MASUGATA_LIBCHARON_BUILD_ID);
}

const char* masugata_daemon_version(void) { return MASUGATA_STRONGSWAN_VERSION; }
