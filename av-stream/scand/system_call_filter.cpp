// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/system_call_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <type_traits>

namespace masugata::av {
namespace {

struct Release {
  void operator()(void* context) const noexcept { seccomp_release(context); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

// What libclamav, the C library and our loop use.
constexpr std::initializer_list<int> kAllowed = {SCMP_SYS(read),
                                                 SCMP_SYS(readv),
                                                 SCMP_SYS(pread64),
                                                 SCMP_SYS(write),
                                                 SCMP_SYS(writev),
                                                 SCMP_SYS(pwrite64),
                                                 SCMP_SYS(open),
                                                 SCMP_SYS(openat),
                                                 SCMP_SYS(close),
                                                 SCMP_SYS(lseek),
                                                 SCMP_SYS(stat),
                                                 SCMP_SYS(fstat),
                                                 SCMP_SYS(lstat),
                                                 SCMP_SYS(newfstatat),
                                                 SCMP_SYS(statfs),
                                                 SCMP_SYS(statx),
                                                 SCMP_SYS(access),
                                                 SCMP_SYS(faccessat),
                                                 SCMP_SYS(faccessat2),
                                                 SCMP_SYS(getdents64),
                                                 SCMP_SYS(readlink),
                                                 SCMP_SYS(readlinkat),
                                                 SCMP_SYS(getcwd),
                                                 SCMP_SYS(mkdir),
                                                 SCMP_SYS(mkdirat),
                                                 SCMP_SYS(rmdir),
                                                 SCMP_SYS(unlink),
                                                 SCMP_SYS(unlinkat),
                                                 SCMP_SYS(rename),
                                                 SCMP_SYS(renameat),
                                                 SCMP_SYS(renameat2),
                                                 SCMP_SYS(ftruncate),
                                                 SCMP_SYS(fallocate),
                                                 SCMP_SYS(fsync),
                                                 SCMP_SYS(fdatasync),
                                                 SCMP_SYS(fadvise64),
                                                 SCMP_SYS(fcntl),
                                                 SCMP_SYS(dup),
                                                 SCMP_SYS(dup2),
                                                 SCMP_SYS(dup3),
                                                 SCMP_SYS(umask),
                                                 SCMP_SYS(chmod),
                                                 SCMP_SYS(fchmod),
                                                 SCMP_SYS(munmap),
                                                 SCMP_SYS(mremap),
                                                 SCMP_SYS(madvise),
                                                 SCMP_SYS(brk),
                                                 SCMP_SYS(futex),
                                                 SCMP_SYS(sched_yield),
                                                 SCMP_SYS(sched_getaffinity),
                                                 SCMP_SYS(clock_gettime),
                                                 SCMP_SYS(clock_getres),
                                                 SCMP_SYS(gettimeofday),
                                                 SCMP_SYS(time),
                                                 SCMP_SYS(times),
                                                 SCMP_SYS(nanosleep),
                                                 SCMP_SYS(clock_nanosleep),
                                                 SCMP_SYS(getrandom),
                                                 SCMP_SYS(getrusage),
                                                 SCMP_SYS(uname),
                                                 SCMP_SYS(sysinfo),
                                                 SCMP_SYS(getpid),
                                                 SCMP_SYS(getppid),
                                                 SCMP_SYS(gettid),
                                                 SCMP_SYS(getuid),
                                                 SCMP_SYS(geteuid),
                                                 SCMP_SYS(getgid),
                                                 SCMP_SYS(getegid),
                                                 SCMP_SYS(rt_sigaction),
                                                 SCMP_SYS(rt_sigprocmask),
                                                 SCMP_SYS(rt_sigreturn),
                                                 SCMP_SYS(sigaltstack),
                                                 SCMP_SYS(restart_syscall),
                                                 SCMP_SYS(exit),
                                                 SCMP_SYS(exit_group)};

// Nothing in a scanner makes these: whoever does has taken it over.
constexpr std::initializer_list<int> kDeadly = {SCMP_SYS(execve),
                                                SCMP_SYS(execveat),
                                                SCMP_SYS(fork),
                                                SCMP_SYS(vfork),
                                                SCMP_SYS(ptrace),
                                                SCMP_SYS(process_vm_readv),
                                                SCMP_SYS(process_vm_writev),
                                                SCMP_SYS(socket),
                                                SCMP_SYS(socketpair),
                                                SCMP_SYS(connect),
                                                SCMP_SYS(bind),
                                                SCMP_SYS(listen),
                                                SCMP_SYS(accept),
                                                SCMP_SYS(accept4),
                                                SCMP_SYS(sendto),
                                                SCMP_SYS(sendmsg),
                                                SCMP_SYS(recvmsg),
                                                SCMP_SYS(mount),
                                                SCMP_SYS(umount2),
                                                SCMP_SYS(pivot_root),
                                                SCMP_SYS(chroot),
                                                SCMP_SYS(unshare),
                                                SCMP_SYS(setns),
                                                SCMP_SYS(setuid),
                                                SCMP_SYS(setresuid),
                                                SCMP_SYS(setgid),
                                                SCMP_SYS(capset),
                                                SCMP_SYS(bpf),
                                                SCMP_SYS(perf_event_open),
                                                SCMP_SYS(userfaultfd),
                                                SCMP_SYS(io_uring_setup),
                                                SCMP_SYS(keyctl),
                                                SCMP_SYS(add_key),
                                                SCMP_SYS(request_key),
                                                SCMP_SYS(init_module),
                                                SCMP_SYS(finit_module),
                                                SCMP_SYS(kexec_load),
                                                SCMP_SYS(memfd_create),
                                                SCMP_SYS(shmget),
                                                SCMP_SYS(kill),
                                                SCMP_SYS(tkill),
                                                SCMP_SYS(pidfd_open),
                                                SCMP_SYS(pidfd_send_signal)};

// mmap and mprotect, but never for code; no threads, and no other processes; a signal to itself, as
// abort() sends it.
int add_conditional(scmp_filter_ctx filter) {
  const auto self = static_cast<scmp_datum_t>(getpid());
  int code = 0;
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    code |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    code |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
  }
  // Decoders of images ask for threads and go on without when there are none at all. The arguments
  // of clone3 cannot be seen; who has it not uses clone.
  constexpr scmp_datum_t kThread = CLONE_THREAD;
  code |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  code |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, kThread, kThread));
  code |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, kThread, 0));
  code |=
      seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self, 0));
  return code;
}

}  // namespace

Status filter_system_calls() {
  const auto fault = [](int code) {
    return failure("sandbox", std::string("system calls cannot be filtered: ") +
                                  std::strerror(code < 0 ? -code : code));
  };
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return fault(ENOMEM);
  for (const int call : kAllowed) {
    const int code = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
    if (code != 0) return fault(code);
  }
  for (const int call : kDeadly) {
    const int code = seccomp_rule_add(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0);
    if (code != 0) return fault(code);
  }
  if (add_conditional(filter.get()) != 0) return fault(EINVAL);
  const int code = seccomp_load(filter.get());
  if (code != 0) return fault(code);
  return {};
}

}  // namespace masugata::av
