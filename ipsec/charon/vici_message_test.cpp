// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/charon/vici_message.h"

#include <gtest/gtest.h>

#include <string>

namespace masugata::ipsec {
namespace {

using std::string_literals::operator""s;

ViciSection example() {
  ViciSection section;
  section.set("key1", "value1");
  ViciSection& sub = section.add_section("section1");
  sub.add_section("sub-section").set("key2", "value2");
  sub.set_list("list1", {"item1", "item2"});
  return section;
}

TEST(ViciMessage, HasTheBytesOfItsDescription) {
  EXPECT_EQ(*encode_vici(example()),
            "\x03\x04key1\x00\x06value1"
            "\x01\x08section1"
            "\x01\x0bsub-section"
            "\x03\x04key2\x00\x06value2"
            "\x02"
            "\x04\x05list1"
            "\x05\x00\x05item1"
            "\x05\x00\x05item2"
            "\x06"
            "\x02"s);
}

TEST(ViciMessage, ComesBackAsItWas) {
  ViciSection section = example();
  section.set("empty", "").set("bytes", "\x00\xff\n"s).set("long", std::string(65535, 'x'));
  section.set_list("nothing", {});
  const auto bytes = encode_vici(section);
  ASSERT_TRUE(bytes);
  const auto back = decode_vici(*bytes);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_TRUE(*back == section);
  EXPECT_EQ(back->section("section1")->section("sub-section")->value("key2"), "value2");
  EXPECT_EQ(back->section("section1")->list("list1")->size(), 2U);
  EXPECT_EQ(back->section("nowhere"), nullptr);
  EXPECT_EQ(back->value("nowhere"), "");
}

TEST(ViciMessage, ASecretIsAValueThatNoTextHas) {
  const ViciSection plain = ViciSection().set("id", "osaka").set("other", "hush");
  const ViciSection secret = ViciSection().set("id", "osaka").set_secret("other", "hush");
  EXPECT_EQ(encode_vici(secret)->view(), encode_vici(plain)->view());
  EXPECT_EQ(secret.value("other"), "hush");
  EXPECT_TRUE(secret.has("other"));
  EXPECT_EQ(to_text(plain), "id = osaka\nother = hush\n");
  EXPECT_EQ(to_text(secret), "id = osaka\nother = (hidden)\n");
}

TEST(ViciMessage, CutAnywhereIsAFaultOrLess) {
  const std::string bytes{encode_vici(example())->view()};
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto read = decode_vici(std::string_view(bytes).substr(0, length));
    // Only between elements of the outermost section nothing is missing.
    EXPECT_EQ(read.has_value(), length == 0 || length == 14) << length;
  }
}

TEST(ViciMessage, RefusesWhatStandsWhereItCannot) {
  EXPECT_FALSE(decode_vici("\x02"));
  EXPECT_FALSE(decode_vici("\x05\x00\x01x"s));
  EXPECT_FALSE(decode_vici("\x06"));
  EXPECT_FALSE(decode_vici("\x07"));
  EXPECT_FALSE(decode_vici("\x04\x01l\x03\x01k\x00\x01v"s));
  EXPECT_FALSE(decode_vici("\x01\x01s"));
  std::string deep;
  for (size_t i = 0; i < 100; ++i) deep += "\x01\x01s";
  EXPECT_EQ(decode_vici(deep).error().what, "sections are nested too deep");
}

TEST(ViciMessage, RefusesToWriteWhatDoesNotFit) {
  EXPECT_FALSE(encode_vici(ViciSection().set(std::string(256, 'n'), "")));
  EXPECT_FALSE(encode_vici(ViciSection().set("", "value")));
  EXPECT_FALSE(encode_vici(ViciSection().set("n", std::string(65536, 'x'))));
}

TEST(ViciMessage, NumbersAreNumbersOnly) {
  ViciSection section;
  section.set("bytes", "18446744073709551615").set("text", "12x").set("none", "");
  EXPECT_EQ(section.number("bytes"), UINT64_MAX);
  EXPECT_EQ(section.number("text"), 0U);
  EXPECT_EQ(section.number("none"), 0U);
}

TEST(ViciPacket, HasNameAndMessageAsItsTypeSays) {
  const auto request = encode_vici_packet({ViciPacketType::Request, "version", {}});
  EXPECT_EQ(*request, "\x00\x00\x00\x09\x00\x07version"s);
  for (const auto type : {ViciPacketType::Request, ViciPacketType::Event}) {
    const auto bytes = encode_vici_packet({type, "name", example()});
    const auto back = decode_vici_packet(std::string_view(*bytes).substr(4));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->type, type);
    EXPECT_EQ(back->name, "name");
    EXPECT_TRUE(back->message == example());
  }
  EXPECT_FALSE(decode_vici_packet(""));
  EXPECT_FALSE(decode_vici_packet("\x08"));
  EXPECT_FALSE(decode_vici_packet("\x00\x04nam"s));
  EXPECT_FALSE(decode_vici_packet("\x05x"));
  EXPECT_FALSE(encode_vici_packet({ViciPacketType::Request, "", {}}));
}

TEST(ViciText, HidesWhatMustNotBeSeen) {
  ViciSection section = example();
  section.set("data", "secret");
  EXPECT_EQ(to_text(section), R"(key1 = value1
section1 {
  sub-section {
    key2 = value2
  }
  list1 = [ item1 item2 ]
}
data = (hidden)
)");
  EXPECT_EQ(to_text(ViciSection().set("k", "\x1b[31m\n")), "k = .[31m.\n");
}

}  // namespace
}  // namespace masugata::ipsec
