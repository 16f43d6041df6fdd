// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/message_parser.h"

#include <gtest/gtest.h>

namespace masugata::ids::mime {
namespace {

struct Seen {
  std::string name;
  std::string content;
  bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* out) { *out << seen.name << '=' << seen.content; }

class MessageParserTest : public testing::Test {
 protected:
  // Reads a message in pieces of every size of a few; all must come to the same.
  std::vector<Seen> read(std::string_view text, bool text_as_files = false) {
    std::optional<std::vector<Seen>> first;
    for (const size_t piece : {4096UL, 1UL, 2UL, 13UL}) {
      files_ = std::make_unique<FileCollection>(demands_);
      message_ = std::make_unique<MessageParser>(*files_, Direction::ToServer, text_as_files);
      for (size_t at = 0; at < text.size(); at += piece) {
        message_->feed(as_bytes(text.substr(at, piece)));
      }
      message_->end(false);
      std::vector<Seen> seen;
      for (const TransferredFile& file : files_->files()) {
        EXPECT_TRUE(file.complete);
        seen.push_back({file.name, {file.window.begin(), file.window.end()}});
      }
      if (first) {
        EXPECT_EQ(*first, seen) << piece;
      }
      first = seen;
    }
    return *first;
  }
  bool odd(Anomaly anomaly) {
    return (message_->findings().anomalies & static_cast<unsigned>(anomaly)) != 0;
  }

  ParserDemands demands_;
  std::unique_ptr<FileCollection> files_;
  std::unique_ptr<MessageParser> message_;
};

using Files = std::vector<Seen>;

TEST_F(MessageParserTest, FieldsAreUnfoldedAsRulesExpect) {
  read("Received: from a\r\n\tby b\r\n  for c\r\nSUBJECT:x\r\nnonsense\r\n\r\nbody");
  EXPECT_EQ(*message_->find_field("received", 0), "from aby b for c");
  EXPECT_EQ(*message_->find_field("subject", 0), "x");
  EXPECT_EQ(message_->find_field("nonsense", 0), nullptr);
  EXPECT_EQ(message_->status(), MessageStatus::Done);
}

TEST_F(MessageParserTest, ALineEndBelongsToTheBoundary) {
  const Files files = read(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment;"
      " filename=a\n\nline\n\n--b\nContent-Disposition: attachment; filename=\"b c\"\r\n\r\n"
      "two\r\nlines\r\n--b--\r\nepilogue");
  EXPECT_EQ(files, (Files{{"a", "line\n"}, {"b c", "two\r\nlines"}}));
}

TEST_F(MessageParserTest, ContainersInContainers) {
  const Files files = read(
      "Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\n"
      "--out\r\nContent-Type: multipart/alternative; boundary=\"out2\"\r\n\r\n"
      "--out2\r\nContent-Type: text/plain\r\n\r\nhttp://one.example/\r\n"
      "--out2\r\nContent-Type: image/png; name=p\r\n\r\nPNG\r\n--out2--\r\n"
      "--out\r\nContent-Type: application/pdf; name=q\r\n\r\nPDF\r\n--out--\r\n");
  EXPECT_EQ(files, (Files{{"p", "PNG"}, {"q", "PDF"}}));
  EXPECT_EQ(message_->findings().urls, std::vector<std::string>{"one.example/"});
}

// The inner container is not closed: the outer boundary ends both.
TEST_F(MessageParserTest, AnOuterBoundaryEndsInnerParts) {
  const Files files = read(
      "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
      "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\nContent-Type: a/b; name=x\r\n\r\n"
      "inner\r\n--o\r\nContent-Type: a/b; name=y\r\n\r\nouter\r\n--o--");
  EXPECT_EQ(files, (Files{{"x", "inner"}, {"y", "outer"}}));
}

TEST_F(MessageParserTest, LinesThatOnlyLookLikeBoundariesAreContent) {
  const Files files = read(
      "Content-Type: multipart/mixed; boundary=bound\r\n\r\n--bound\r\n"
      "Content-Type: a/b; name=x\r\n\r\n-\r\n--\r\n--boun\r\n- --bound\r\n--bound  \r\n");
  EXPECT_EQ(files, (Files{{"x", "-\r\n--\r\n--boun\r\n- --bound"}}));
}

TEST_F(MessageParserTest, ABoundaryLineOfAnyLengthIsOne) {
  const std::string blanks(5000, ' ');
  const Files files = read("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b" + blanks +
                           "\r\nContent-Type: a/b; name=x\r\n\r\nX\r\n--b" + blanks +
                           "\r\nContent-Type: a/b; name=y\r\n\r\nY\r\n--b--");
  EXPECT_EQ(files, (Files{{"x", "X"}, {"y", "Y"}}));
}

TEST_F(MessageParserTest, CarriedMessagesAreReadToo) {
  const Files files = read(
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n"
      "Content-Disposition: attachment; filename=\"in.txt\"\r\n\r\n"
      "From: a\r\nContent-Type: application/octet-stream; name=m.exe\r\n\r\nMZ");
  EXPECT_EQ(files, (Files{{"m.exe", "MZ"}}));
  EXPECT_EQ(message_->findings().attachments, (std::vector<std::string>{"in.txt", "m.exe"}));
  EXPECT_EQ(message_->find_field("from", 0), nullptr);
}

TEST_F(MessageParserTest, AnEncodedCarriedMessageIsReadToo) {
  // "Subject: x\r\nContent-Type: a/b;name=x\r\n\r\nabc"
  const Files files = read(
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "U3ViamVjdDogeA0KQ29udGVudC1UeXBlOiBhL2I7\r\nbmFtZT14DQoNCmFiYw==\r\n");
  EXPECT_EQ(files, (Files{{"x", "abc"}}));
}

TEST_F(MessageParserTest, PartsOfADigestAreMessages) {
  std::string text = "Content-Type: multipart/digest; boundary=d\r\n\r\n";
  Files expected;
  // More than the nesting allows: they stand beside each other.
  for (size_t i = 0; i < kMaximumFiles; ++i) {
    text += "--d\r\n\r\nContent-Type: a/b; name=n\r\n\r\nX\r\n";
    expected.push_back({"n", "X"});
  }
  EXPECT_EQ(read(text + "--d--\r\n"), expected);
  EXPECT_EQ(message_->findings().anomalies, 0);
}

TEST_F(MessageParserTest, NestingIsBounded) {
  std::string text;
  for (size_t i = 0; i < 40; ++i) {
    const std::string boundary = "b" + std::to_string(i);
    text +=
        "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n";
  }
  read(text + "Content-Type: a/b; name=x\r\n\r\nX");
  EXPECT_TRUE(odd(Anomaly::MalformedMessage));
  std::string carried;
  for (size_t i = 0; i < 40; ++i) {
    carried += "Content-Type: message/rfc822\r\n\r\n";
  }
  read(carried + "X");
  EXPECT_TRUE(odd(Anomaly::MalformedMessage));
}

TEST_F(MessageParserTest, NamesComeInManyForms) {
  const auto name_in = [this](std::string_view header) {
    const Files files = read(std::string{header} + "\r\n\r\nX");
    return files.empty() ? std::string{"none"} : files[0].name;
  };
  EXPECT_EQ(name_in("Content-Disposition: attachment; filename=\"a \\\"b\\\".txt\""),
            "a \"b\".txt");
  EXPECT_EQ(name_in("Content-Disposition: inline; x=1; FileName = a.txt ; y=2"), "a.txt");
  EXPECT_EQ(name_in("Content-Disposition: attachment; filename*=UTF-8''a%20b.txt"), "a b.txt");
  EXPECT_EQ(name_in("Content-Disposition: attachment; filename*1=.exe; filename*0=\"a;b\""),
            "a;b.exe");
  EXPECT_EQ(name_in("Content-Type: text/plain;\r\n name=\"x.txt\""), "x.txt");
  EXPECT_EQ(name_in("Content-Type: application/zip"), "");
  EXPECT_EQ(name_in("Content-Disposition: attachment"), "");
  EXPECT_EQ(name_in("Content-Type: text/plain"), "none");
  EXPECT_EQ(name_in("Content-Type: a/b; name=" + std::string(400, 'n')).size(), 255U);
  EXPECT_TRUE(odd(Anomaly::LongFileName));
}

TEST_F(MessageParserTest, TextBecomesAFileWhenAsked) {
  EXPECT_EQ(read("Subject: x\r\n\r\nhello\r\n", true), (Files{{"", "hello"}}));
  EXPECT_TRUE(read("Subject: x\r\n\r\nhello\r\n").empty());
}

TEST_F(MessageParserTest, EncodingsAreUndone) {
  EXPECT_EQ(read("Content-Type: a/b; name=q\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n"
                 "a=3Db=\r\nc=20=  \r\nd=XYe\r\n"),
            (Files{{"q", "a=bc d=XYe"}}));
  EXPECT_TRUE(odd(Anomaly::InvalidQuotedPrintable));
  EXPECT_EQ(read("Content-Type: a/b; name=q\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                 "aG Vs*bG8=\r\nIHdv\r\ncmxk"),
            (Files{{"q", "hello world"}}));
  EXPECT_TRUE(odd(Anomaly::InvalidBase64));
}

TEST_F(MessageParserTest, LongThingsAreReported) {
  read("A: " + std::string(1200, 'x') + "\r\n\r\n");
  EXPECT_TRUE(odd(Anomaly::LongLine));
  EXPECT_FALSE(odd(Anomaly::LongHeaderValue) || odd(Anomaly::TruncatedLine));
  read("A: " + std::string(5000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(odd(Anomaly::LongHeaderValue) && odd(Anomaly::TruncatedLine));
  read(std::string(80, 'a') + ": x\r\n\r\n");
  EXPECT_TRUE(odd(Anomaly::LongHeaderName));
  read("Content-Type: multipart/mixed; boundary=" + std::string(300, 'b') + "\r\n\r\n");
  EXPECT_TRUE(odd(Anomaly::LongBoundary));
  read("Content-Type: a/b; name=n\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
       std::string(80, 'A'));
  EXPECT_TRUE(odd(Anomaly::LongEncodedLine));
}

TEST_F(MessageParserTest, ABoundaryHiddenBehindManyFieldsCounts) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += "X-Filler: " + std::string(60, 'x') + "\r\n";
  }
  const Files files = read(text +
                           "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                           "Content-Type: a/b; name=x\r\n\r\nX\r\n--b--");
  EXPECT_EQ(files, (Files{{"x", "X"}}));
  EXPECT_LE(message_->fields().size(), kMaximumHeaderFields);
}

TEST_F(MessageParserTest, AddressesInTextAreFound) {
  read("\r\nHTTP://A.example/x?y=1 <a href=\"https://b.example\">b</a> hthttp://c]\r\nhttp:/no");
  EXPECT_EQ(message_->findings().urls,
            (std::vector<std::string>{"A.example/x?y=1", "b.example", "c"}));
  std::string many = "\r\n";
  for (int i = 0; i < 1000; ++i) {
    many += "http://a ";
  }
  read(many + "http://" + std::string(10000, 'u') + " ");
  EXPECT_EQ(message_->findings().urls.size(), kMaximumUrls);
}

TEST(HeaderFieldTest, AddressesAreSplitAtTheirCommas) {
  EXPECT_EQ(split_addresses("\"a, b\" <a@x>, c@y,, <d,e@z>"),
            (std::vector<std::string>{"\"a, b\" <a@x>", "c@y", "<d,e@z>"}));
}

}  // namespace
}  // namespace masugata::ids::mime
