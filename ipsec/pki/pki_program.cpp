// SPDX-License-Identifier: GPL-2.0-or-later
// masugata-pki: certificates of the gateway. `masugata pki` becomes this program.
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ipsec/pki/pki_actions.h"

namespace {

using namespace masugata;
using namespace masugata::ipsec::pki;

constexpr int kDone = 0;
constexpr int kProblem = 1;
constexpr int kUsage = 2;

constexpr const char* kHelp = R"(masugata pki: certificates for tunnels

  show [NAME]                         what there is, and when it ends
  check [--days N]                    exit status 1 when something ends within N days (30)
  create-ca NAME                      a CA of our own
  issue NAME --ca CA                  a certificate and its key
  sign NAME --ca CA --in FILE         a certificate for somebody's request
  request NAME                        a key, and a request for a CA elsewhere
  import NAME --in FILE               the certificate for that request
  import NAME --ca --in FILE          a CA elsewhere, or its revocation list
  import NAME --pkcs12 --in FILE      certificate and key together
  export NAME [--out FILE]            the certificate or CA as PEM
  export NAME --pkcs12 --out FILE     certificate and key together
  revoke NAME|SERIAL --ca CA          no longer right from now on
  crl CA [--days N]                   renew the revocation list of an own CA
  delete NAME                         certificate, key and request; or a CA elsewhere

  --dns NAME, --address ADDRESS, --mail ADDRESS   names of a certificate, as often as wanted
  --subject "CN=..., O=..."                       else made from the first name
  --key ec256|ec384|rsa3072|rsa4096               ec256 unless said
  --days N                                        how long it counts
  --password-file FILE                            of a PKCS#12 bundle, in its first line
  --folder FOLDER                                 /var/lib/masugata/pki unless said

Exit status: 0 done, 1 refused or a problem, 2 not understood.
)";

struct Arguments {
  std::vector<std::string> words;
  std::multimap<std::string, std::string> options;
  std::set<std::string> flags;

  [[nodiscard]] std::string option(const std::string& name,
                                   const std::string& otherwise = {}) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  }
  [[nodiscard]] std::vector<std::string> all(const std::string& name) const {
    std::vector<std::string> values;
    const auto [first, last] = options.equal_range(name);
    for (auto each = first; each != last; ++each) values.push_back(each->second);
    return values;
  }
};

int refuse(const std::string& words) {
  fmt::print(stderr, "masugata pki: {}\n", words);
  return kUsage;
}
int report(const Fault& fault) {
  fmt::print(stderr, "masugata pki: {}\n", fault.message());
  return kProblem;
}
int report(const Status& status, const std::string& done) {
  if (!status) return report(status.error());
  fmt::print("{}\n", done);
  return kDone;
}

const std::set<std::string> kOptions{"dns",  "address", "mail", "subject",       "key",
                                     "days", "in",      "out",  "password-file", "folder"};

// "" when they are right.
std::string parse(int count, char** values, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (!word.starts_with("--")) {
      arguments.words.push_back(word);
      continue;
    }
    const std::string name = word.substr(2);
    const bool import = !arguments.words.empty() && arguments.words[0] == "import";
    if (name == "pkcs12" || (name == "ca" && import)) {
      arguments.flags.insert(name);
    } else if (kOptions.contains(name) || name == "ca") {
      if (++i == count) return fmt::format("--{} needs a value", name);
      arguments.options.emplace(name, values[i]);
    } else {
      return fmt::format("there is no option --{}", name);
    }
  }
  return {};
}

Result<Days> days_of(const Arguments& arguments, int otherwise) {
  const std::string text = arguments.option("days");
  int days = otherwise;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  constexpr int kLongest = 36500;
  const bool right = text.empty() || (error == std::errc() && end == text.data() + text.size() &&
                                      days >= 1 && days <= kLongest);
  if (!right) return failure("--days", fmt::format("'{}' is not 1 to {}", text, kLongest));
  return Days(days);
}

Result<Wishes> wishes_of(const Arguments& arguments) {
  Wishes wishes;
  wishes.names.subject = arguments.option("subject");
  wishes.names.domains = arguments.all("dns");
  wishes.names.addresses = arguments.all("address");
  wishes.names.mails = arguments.all("mail");
  const Result<KeyKind> kind = key_kind_of(arguments.option("key", "ec256"));
  if (!kind) return tl::unexpected<Fault>(kind.error());
  wishes.key = *kind;
  const Result<Days> life = days_of(arguments, 0);
  if (!life) return tl::unexpected<Fault>(life.error());
  wishes.life = *life;
  wishes.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return wishes;
}

// To standard output, or to a file that nobody else can read when it holds a key.
Status put_out(const std::string& bytes, const std::string& path, bool secret) {
  if (path.empty()) {
    fmt::print("{}", bytes);
    return {};
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                                secret ? 0600 : 0644);
  if (descriptor < 0) return failure(path, std::strerror(errno));
  const bool written =
      ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  const int cause = errno;
  ::close(descriptor);
  return written ? Status() : failure(path, std::strerror(cause));
}

Result<std::string> password_of(const Arguments& arguments) {
  const std::string path = arguments.option("password-file");
  if (path.empty()) return failure("--password-file", "is missing");
  const Result<config::Secret> secret = ipsec::read_secret_file(path);
  if (!secret) return tl::unexpected<Fault>(secret.error());
  return std::string(secret->reveal());
}

void show_one(const Listed& one, std::chrono::sys_seconds now, bool whole) {
  const auto left = std::chrono::floor<Days>(one.facts.not_after - now).count();
  std::string state = one.revoked ? "revoked"
                      : left < 0  ? fmt::format("EXPIRED {} days ago", -left)
                                  : fmt::format("{} days left", left);
  fmt::print("{:<24} {:<16} {:%Y-%m-%d}  {}\n", one.name, one.kind, one.facts.not_after, state);
  if (!whole) return;
  fmt::print("  subject  {}\n  issuer   {}\n  serial   {}\n  key      {}\n", one.facts.subject,
             one.facts.issuer, one.facts.serial, one.facts.key);
  for (const std::string& name : one.facts.names) fmt::print("  name     {}\n", name);
  fmt::print("  from     {:%Y-%m-%d %H:%M} UTC\n  until    {:%Y-%m-%d %H:%M} UTC\n",
             one.facts.not_before, one.facts.not_after);
}

int show(const PkiStore& store, const Arguments& arguments) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const bool whole = arguments.words.size() > 1;
  bool found = false;
  for (const Listed& one : list_store(store)) {
    if (whole && one.name != arguments.words[1]) continue;
    found = true;
    show_one(one, now, whole);
  }
  for (const std::string& name : store.names(Shelf::Requests)) {
    if (whole && name != arguments.words[1]) continue;
    found = true;
    fmt::print("{:<24} {:<16} waits for its certificate\n", name, "request");
  }
  if (found || !whole) return kDone;
  return report(Fault{arguments.words[1], "is not there"});
}

int check(const PkiStore& store, const Arguments& arguments) {
  const Result<Days> days = days_of(arguments, 30);
  if (!days) return report(days.error());
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  int status = kDone;
  for (const Listed& one : list_store(store)) {
    if (one.revoked || one.facts.not_after - now > *days) continue;
    show_one(one, now, false);
    status = kProblem;
  }
  return status;
}

int import(const PkiStore& store, const Arguments& arguments, const std::string& name) {
  const Result<std::string> bytes = read_file(arguments.option("in"));
  if (!bytes) return report(bytes.error());
  const std::string done = name + " is imported";
  if (arguments.flags.contains("ca")) return report(import_authority(store, name, *bytes), done);
  if (!arguments.flags.contains("pkcs12")) {
    return report(import_certificate(store, name, *bytes), done);
  }
  const Result<std::string> password = password_of(arguments);
  if (!password) return report(password.error());
  return report(import_pkcs12(store, name, *bytes, *password), done);
}

int put(const PkiStore& store, const Arguments& arguments, const std::string& name) {
  const bool bundle = arguments.flags.contains("pkcs12");
  Result<std::string> bytes = failure("", "");
  if (bundle) {
    if (arguments.option("out").empty()) return refuse("export --pkcs12 needs --out FILE");
    const Result<std::string> password = password_of(arguments);
    if (!password) return report(password.error());
    bytes = export_pkcs12(store, name, *password);
  } else {
    const bool authority =
        !store.has(Shelf::Certificates, name) && store.has(Shelf::Authorities, name);
    bytes = store.read(authority ? Shelf::Authorities : Shelf::Certificates, name);
  }
  if (!bytes) return report(bytes.error());
  const Status out = put_out(*bytes, arguments.option("out"), bundle);
  return out ? kDone : report(out.error());
}

int make(const PkiStore& store, const Arguments& arguments, const std::string& name) {
  const std::string& action = arguments.words[0];
  const Result<Wishes> wishes = wishes_of(arguments);
  if (!wishes) return refuse(wishes.error().message());
  const std::string authority = arguments.option("ca");
  if (action == "create-ca") {
    return report(create_authority(store, name, *wishes), "CA " + name + " is made");
  }
  if (action == "request") {
    const Result<std::string> request = request_certificate(store, name, *wishes);
    if (!request) return report(request.error());
    const Status out = put_out(*request, arguments.option("out"), false);
    return out ? kDone : report(out.error());
  }
  if (authority.empty()) return refuse(action + " needs --ca CA");
  if (action == "issue") {
    return report(issue_certificate(store, name, authority, *wishes), name + " is issued");
  }
  const Result<std::string> request = read_file(arguments.option("in"));
  if (!request) return report(request.error());
  return report(sign_request(store, name, authority, *request, *wishes), name + " is issued");
}

int act(const PkiStore& store, const Arguments& arguments) {
  const std::string& action = arguments.words[0];
  if (action == "show") return show(store, arguments);
  if (action == "check") return check(store, arguments);
  if (arguments.words.size() != 2) return refuse(action + " needs one name");
  const std::string& name = arguments.words[1];
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (action == "create-ca" || action == "issue" || action == "sign" || action == "request") {
    return make(store, arguments, name);
  }
  if (action == "import") return import(store, arguments, name);
  if (action == "export") return put(store, arguments, name);
  if (action == "delete") return report(remove_name(store, name), name + " is deleted");
  if (action == "revoke") {
    const std::string authority = arguments.option("ca");
    if (authority.empty()) return refuse("revoke needs --ca CA");
    return report(revoke(store, authority, name, now), name + " is revoked");
  }
  if (action == "crl") {
    const Result<Days> life = days_of(arguments, 30);
    if (!life) return refuse(life.error().message());
    return report(renew_revocation_list(store, name, now, *life), "the list is renewed");
  }
  return refuse(fmt::format("there is no action '{}': masugata pki help", action));
}

}  // namespace

int main(int count, char** values) {
  Arguments arguments;
  if (const std::string wrong = parse(count, values, arguments); !wrong.empty()) {
    return refuse(wrong);
  }
  if (arguments.words.empty() || arguments.words[0] == "help") {
    fmt::print("{}", kHelp);
    return kDone;
  }
  // Files are made with the modes that they are to have.
  ::umask(0077);
  return act(PkiStore(arguments.option("folder", kDefaultFolder)), arguments);
}
