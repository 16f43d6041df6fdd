// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/smart_host.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace masugata::dataplane {
namespace {

size_t give_text(char* to, size_t size, size_t count, void* context) {
  auto& left = *static_cast<std::string_view*>(context);
  const size_t given = std::min(left.size(), size * count);
  std::memcpy(to, left.data(), given);
  left.remove_prefix(given);
  return given;
}

// About once a second; anything but 0 ends the try.
int watch(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(context)->load() ? 1 : 0;
}

void choose_encryption(CURL* handle, const config::AvNotices& settings) {
  const bool required = settings.tls == config::MailTls::Required;
  const curl_usessl use = settings.tls == config::MailTls::None ? CURLUSESSL_NONE
                          : required                            ? CURLUSESSL_ALL
                                                                : CURLUSESSL_TRY;
  curl_easy_setopt(handle, CURLOPT_USE_SSL, static_cast<long>(use));
  // Who takes whatever is offered has no name to check: that helps against listeners only.
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, required ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, required ? 2L : 0L);
  if (required && !settings.authorities.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, settings.authorities.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
}

// One try. Empty: the smart host has taken it.
std::string deliver(const config::AvNotices& settings, const NoticeMail& mail,
                    const std::atomic<bool>& stop) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> call(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (call == nullptr) return "no memory";
  curl_slist* list = nullptr;
  for (const std::string& address : mail.recipients) {
    list = curl_slist_append(list, ("<" + address + ">").c_str());
  }
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(list,
                                                                               curl_slist_free_all);
  std::string_view left = mail.text;
  CURL* handle = call.get();
  curl_easy_setopt(handle, CURLOPT_URL, ("smtp://" + settings.smart_host).c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, SmartHost::kSecondsPerTry);
  choose_encryption(handle, settings);
  // No CURLOPT_MAIL_FROM: the reverse path is null, so that no notice is answered by another.
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_text);
  curl_easy_setopt(handle, CURLOPT_READDATA, &left);
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &stop);
  const CURLcode code = curl_easy_perform(handle);
  return code == CURLE_OK ? std::string() : std::string(curl_easy_strerror(code));
}

}  // namespace

SmartHost::SmartHost(uint64_t retry_ms) : retry_ms_(retry_ms) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  thread_ = std::thread([this] { work(); });
}

SmartHost::~SmartHost() {
  {
    const std::lock_guard guard(lock_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SmartHost::configure(const config::AvNotices& settings) {
  {
    const std::lock_guard guard(lock_);
    if (settings.smart_host != settings_.smart_host || settings.tls != settings_.tls ||
        settings.authorities != settings_.authorities) {
      ++ways_;
    }
    settings_ = settings;
  }
  changed_.notify_all();
}

bool SmartHost::send(NoticeMail mail) {
  {
    const std::lock_guard guard(lock_);
    if (waiting_.size() >= kMaximumWaiting) {
      ++counts_.failed;
      return false;
    }
    waiting_.push_back(std::move(mail));
  }
  changed_.notify_all();
  return true;
}

SmartHostCounts SmartHost::counts() const {
  const std::lock_guard guard(lock_);
  SmartHostCounts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

void SmartHost::work() {
  std::unique_lock guard(lock_);
  int tries = 0;  // of the first that waits
  while (true) {
    changed_.wait(guard, [this] { return stop_.load() || !waiting_.empty(); });
    if (stop_) return;
    const NoticeMail mail = waiting_.front();
    const config::AvNotices settings = settings_;
    const uint64_t way = ways_;
    guard.unlock();
    const std::string problem = deliver(settings, mail, stop_);
    guard.lock();
    counts_.problem = problem;
    if (problem.empty()) {
      ++counts_.sent;
    } else if (++tries < kTries) {
      changed_.wait_for(guard, std::chrono::milliseconds(retry_ms_),
                        [this, way] { return stop_.load() || ways_ != way; });
      continue;
    } else {
      ++counts_.failed;
    }
    tries = 0;
    waiting_.pop_front();
  }
}

}  // namespace masugata::dataplane
