// SPDX-License-Identifier: GPL-2.0-or-later
// Preloaded into Debian 12's user-mode-linux. That program keeps 2,696 bytes of a process's extended
// state (XSAVE: up to AVX-512 and PKRU). Where the CPU has AMX, the host's kernel takes nothing but
// the whole 11 KiB back (PTRACE_SETREGSET: EFAULT), so it is made up to that size here. A process
// inside never has AMX: it must ask for that, and user-mode-linux knows no such request.
#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kMostBytes = 1 << 14, kLegacyBytes = 512, kFeaturesThatFit = 0x3ff };

// Of all features that the host's kernel has switched on (CPUID leaf 13). Asked once: within a
// virtual machine each question leaves it.
static size_t whole_bytes(void) {
  static size_t known;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (known == 0 && __get_cpuid_count(13, 0, &eax, &ebx, &ecx, &edx)) known = ebx;
  return known;
}

static long set_extended_state(pid_t process, const struct iovec* given) {
  static _Alignas(64) unsigned char whole[kMostBytes];
  const size_t bytes = whole_bytes();
  memset(whole, 0, bytes);
  memcpy(whole, given->iov_base, given->iov_len);
  uint64_t features = 0;
  memcpy(&features, whole + kLegacyBytes, sizeof features);
  features &= kFeaturesThatFit;
  memcpy(whole + kLegacyBytes, &features, sizeof features);
  const struct iovec all = {whole, bytes};
  return syscall(SYS_ptrace, PTRACE_SETREGSET, process, NT_X86_XSTATE, &all);
}

// As in glibc, whose caller gets what is read by the three PEEKs as the result.
long ptrace(enum __ptrace_request request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const pid_t process = va_arg(arguments, pid_t);
  void* const address = va_arg(arguments, void*);
  void* const data = va_arg(arguments, void*);
  va_end(arguments);
  if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE) {
    const struct iovec* given = data;
    if (given->iov_len < whole_bytes() && whole_bytes() <= kMostBytes) {
      return set_extended_state(process, given);
    }
  }
  if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
    long word = 0;
    const long status = syscall(SYS_ptrace, request, process, address, &word);
    return status < 0 ? status : word;
  }
  return syscall(SYS_ptrace, request, process, address, data);
}
