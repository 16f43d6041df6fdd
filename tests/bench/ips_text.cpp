// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/ips_text.h"

#include <zlib.h>

#include <array>
#include <stdexcept>

namespace masugata::bench {
namespace {

constexpr const char* kWords[] = {
    "able",     "about",    "account", "action",   "admin",    "after",   "album",    "answer",
    "april",    "area",     "article", "asset",    "author",   "banner",  "basket",   "before",
    "begin",    "black",    "block",   "board",    "book",     "bridge",  "bright",   "browser",
    "build",    "button",   "camera",  "cart",     "castle",   "center",  "chart",    "check",
    "city",     "class",    "client",  "cloud",    "color",    "column",  "common",   "content",
    "corner",   "country",  "create",  "daily",    "data",     "date",    "default",  "design",
    "detail",   "device",   "doctor",  "document", "download", "draft",   "early",    "edit",
    "email",    "entry",    "event",   "example",  "family",   "feature", "field",    "file",
    "filter",   "first",    "float",   "footer",   "form",     "forum",   "frame",    "friend",
    "gallery",  "garden",   "general", "global",   "green",    "group",   "guide",    "header",
    "height",   "history",  "home",    "hotel",    "house",    "image",   "index",    "inline",
    "input",    "island",   "item",    "january",  "journal",  "key",     "kitchen",  "label",
    "language", "later",    "layout",  "letter",   "library",  "light",   "link",     "list",
    "local",    "login",    "london",  "main",     "margin",   "market",  "media",    "member",
    "menu",     "message",  "middle",  "mobile",   "module",   "morning", "motion",   "mountain",
    "music",    "name",     "nature",  "network",  "news",     "night",   "north",    "notice",
    "number",   "object",   "office",  "online",   "option",   "order",   "page",     "panel",
    "paper",    "parent",   "party",   "people",   "person",   "phone",   "photo",    "picture",
    "plain",    "player",   "point",   "policy",   "popular",  "portal",  "position", "post",
    "power",    "press",    "price",   "print",    "private",  "product", "profile",  "project",
    "public",   "quality",  "query",   "question", "radio",    "reader",  "recent",   "record",
    "region",   "relative", "report",  "request",  "result",   "return",  "review",   "river",
    "round",    "sample",   "school",  "science",  "script",   "search",  "season",   "secret",
    "section",  "select",   "server",  "service",  "session",  "shadow",  "share",    "shop",
    "simple",   "small",    "social",  "solid",    "source",   "south",   "special",  "sport",
    "spring",   "square",   "stand",   "start",    "state",    "static",  "status",   "store",
    "story",    "street",   "student", "style",    "subject",  "summer",  "support",  "system",
    "table",    "team",     "theme",   "thumb",    "ticket",   "title",   "today",    "token",
    "topic",    "track",    "travel",  "update",   "upload",   "user",    "value",    "vector",
    "version",  "video",    "view",    "visit",    "visual",   "water",   "weather",  "website",
    "week",     "weight",   "white",   "width",    "window",   "winter",  "woman",    "wonder",
    "world",    "writer",   "year",    "young"};
constexpr const char* kDomains[] = {"com", "net", "org",  "io",   "co.uk",
                                    "de",  "jp",  "info", "cloud"};
constexpr const char* kServers[] = {"www", "cdn", "api", "static", "img", "mail", "assets", "m"};
constexpr const char* kEndings[] = {".html", ".js", ".css", ".png", ".jpg", ".php", ".json", ""};

}  // namespace

std::string make_word(RandomSource& random) { return random.pick(kWords); }

std::string make_token(RandomSource& random, size_t length) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string token;
  while (token.size() < length) token += kLetters[random.below(kLetters.size())];
  return token;
}

std::string make_bytes(RandomSource& random, size_t length) {
  std::string bytes;
  bytes.reserve(length + 8);
  while (bytes.size() < length) {
    uint64_t value = random.next();
    for (size_t i = 0; i < 8; ++i, value >>= 8U) bytes += static_cast<char>(value & 0xffU);
  }
  bytes.resize(length);
  return bytes;
}

std::string make_host(RandomSource& random) {
  std::string host;
  if (random.chance(70)) host = std::string(random.pick(kServers)) + ".";
  if (random.chance(20)) host += make_token(random, random.between(4, 9)) + ".";
  host += make_word(random);
  if (random.chance(60)) host += (random.chance(30) ? "-" : "") + make_word(random);
  return host + "." + random.pick(kDomains);
}

std::string make_path(RandomSource& random) {
  std::string path;
  const size_t folders = random.between(1, 4);
  for (size_t i = 0; i < folders; ++i) path += "/" + make_word(random);
  if (random.chance(30)) path += "-" + make_token(random, 8);
  path += random.pick(kEndings);
  if (random.chance(40)) {
    path += "?" + make_word(random) + "=" + make_token(random, random.between(1, 12));
    while (random.chance(50)) path += "&" + make_word(random) + "=" + make_word(random);
  }
  return path;
}

namespace {

std::string make_sentence(RandomSource& random) {
  std::string text;
  const size_t words = random.between(6, 16);
  for (size_t i = 0; i < words; ++i) text += (i == 0 ? "" : " ") + make_word(random);
  return text + ".";
}

std::string make_element(RandomSource& random) {
  switch (random.below(6)) {
    case 0:
      return "<div class=\"" + make_word(random) + "-" + make_word(random) + "\"><a href=\"" +
             make_path(random) + "\">" + make_word(random) + "</a></div>\n";
    case 1:
      return "<script type=\"text/javascript\">var " + make_word(random) + " = document." +
             "getElementById(\"" + make_word(random) + "\"); function " + make_word(random) +
             "(e) { return e." + make_word(random) + " + " + make_token(random, 3) +
             "; }</script>\n";
    case 2:
      return "<img src=\"https://" + make_host(random) + make_path(random) + "\" alt=\"" +
             make_word(random) + "\" width=\"" + std::to_string(random.between(16, 900)) + "\">\n";
    default:
      return "<p>" + make_sentence(random) + " " + make_sentence(random) + "</p>\n";
  }
}

}  // namespace

std::string make_page(RandomSource& random, size_t length) {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                     make_sentence(random) + "</title></head>\n<body>\n";
  while (page.size() + 16 < length) page += make_element(random);
  return page + "</body></html>\n";
}

std::string make_json(RandomSource& random, size_t length) {
  std::string text = "{\"" + make_word(random) + "\":[";
  while (text.size() + 2 < length) {
    text += "{\"id\":" + std::to_string(random.below(1'000'000)) + ",\"" + make_word(random) +
            "\":\"" + make_word(random) + " " + make_word(random) + "\",\"" + make_word(random) +
            "\":\"" + make_token(random, 24) + "\"},";
  }
  text.back() = ']';
  return text + "}";
}

std::string make_letter(RandomSource& random, size_t length) {
  std::string text;
  while (text.size() < length) {
    text += make_sentence(random) + (random.chance(20) ? "\r\n\r\n" : "\r\n");
  }
  return text;
}

std::string base64_of(const std::string& bytes, size_t line_length) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  size_t column = 0;
  for (size_t i = 0; i + 3 <= bytes.size(); i += 3) {
    const auto at = [&](size_t place) {
      return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i + place]));
    };
    const uint32_t group = at(0) << 16U | at(1) << 8U | at(2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) text += kDigits[group >> shift & 63U];
    column += 4;
    if (column >= line_length) {
      text += "\r\n";
      column = 0;
    }
  }
  return text + (column == 0 ? "" : "\r\n");
}

std::string gzip_of(const std::string& bytes) {
  z_stream stream{};
  // 16 on top of the window's bits asks for gzip instead of zlib.
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::runtime_error("zlib does not begin");
  }
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int outcome = deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) throw std::runtime_error("zlib does not end");
  return packed;
}

}  // namespace masugata::bench
