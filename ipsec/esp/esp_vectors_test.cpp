// SPDX-License-Identifier: GPL-2.0-or-later
// Published test vectors through the whole inbound path, and through the reference that the other
// tests rely on.
#include <gtest/gtest.h>
#include <intel-ipsec-mb.h>

#include "ipsec/esp/key_schedule.h"
#include "ipsec/esp/reference_esp.h"

namespace masugata::ipsec::reference {
namespace {

Bytes tail(const Bytes& bytes, size_t from) {
  return {bytes.begin() + static_cast<ptrdiff_t>(from), bytes.end()};
}

Bytes outer_packet(const Bytes& esp) { return ipv4_packet(50, esp); }

// draft-mcgrew-gcm-test-01 section 4: test cases of RFC 4106. Associated data of 12 bytes are those
// of extended sequence numbers. The next header is 1 in all of them.
struct GcmVector {
  const char* name;
  const char* key;
  const char* nonce;
  const char* associated;
  const char* text;
  const char* encrypted;
  const char* tag;
};

constexpr GcmVector kGcmVectors[] = {
    {"1, ESN", "4c80cdefbb5d10da906ac73c3613a634", "2e443b684956ed7e3b244cfe",
     "000043218765432100000000",
     "45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f736970045f756470"
     "037369700963796265726369747902646b000021000101020201",
     "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1f4a1"
     "3c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732",
     "459018148f6cbe722fd04796562dfdb4"},
    {"2", "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "0000a5f80000000a",
     "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d001000001000000000000037369700963"
     "796265726369747902646b00000100010001",
     "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827c10e9a4f51330d0eec41"
     "6642cfbb85a5b47e48a4ec3b9ba95d918bd1",
     "83b70d3aa8bc6ee4c309e9d85a41ad4a"},
    {"3, 256 bits", "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
     "112233440102030405060708", "4a2cbfe300000002",
     "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000020405b40101"
     "040201020201",
     "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d347f0545659f14"
     "e99def842d8e",
     "b335f4eecfdbf831824b4c4915956c96"},
    {"5, ESN", "3de09874b388e6491988d0c3607eae1f", "57690e434e280000a2fca1a3",
     "42f67e3f1010101010101010",
     "4500003c99c300008001cb7c40679318010101010800085c020043006162636465666768696a6b6c6d6e6f707172"
     "737475767761626364656667686901020201",
     "fba2caa4853cf9f0f22cb10d86dd83b0fec75691cf1a04b00d1138ec9c35791765acbd8701ad79845bf9fe3fba48"
     "7bc91755e6662b4c8d0d1f5e22739530320a",
     "e0d731cc978ecafaeae88f00e80d6e48"},
    {"7, 192 bits", "feffe9928665731c6d6a8f9467308308feffe9928665731c", "cafebabefacedbaddecaf888",
     "0000a5f80000000a",
     "45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d075680001",
     "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77",
     "95457b9652037f5318027b5b4cd7a636"},
    {"9, 256 bits, ESN", "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
     "73616c74616e640169766563", "17405e67156f3126dd0db99b",
     "45080028732c00004006e9f90a0106120a01038f06b88023dd6bafbecb71260250101f646d540001",
     "f2d69ecdbd5a0d5b8d5ef38bad4da58d1f278fde98ef67549d524a3018d9a57ff4d3a31ce673119e",
     "451626c2415771e3b7eebca614c89b35"},
    {"12, padding alone", "7d773d00c144c525ac619d18c84a3f47", "d966426743457e9182443bc6",
     "335467aeffffffff", "01020201", "437f866b", "cb3f699fe9b0822bac961c4504bef270"},
    {"14, 256 bits, ESN", "6c6567616c697a656d6172696a75616e61616e64646f69746265666f72656961",
     "7475726e333021696765746d", "796b6963ffffffffffffffff",
     "45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c6d6e6f707172"
     "737401020201",
     "f97ab2aa356d8edce17644ac8c78e25dd24dedbb29ebf1b64a274b39b49c3a864cd3d78ca4ae68a32b42458fb57d"
     "be821dcc63b9",
     "d0937ba2945f669368661a329fb4c053"},
};

uint64_t number_of(const Bytes& bytes) {
  uint64_t number = 0;
  for (const uint8_t byte : bytes) number = number << 8U | byte;
  return number;
}

SaParameters vector_parameters(const GcmVector& vector) {
  const Bytes key = from_hex(vector.key);
  const Bytes nonce = from_hex(vector.nonce);
  const Bytes associated = from_hex(vector.associated);
  constexpr Encryption kBySize[] = {Encryption::AesGcm128, Encryption::AesGcm192,
                                    Encryption::AesGcm256};
  SaParameters parameters =
      parameters_of({kBySize[key.size() / 8 - 2], Integrity::Combined}, Direction::Inbound);
  Bytes material = key;
  material.insert(material.end(), nonce.begin(), nonce.begin() + 4);
  EXPECT_TRUE(parameters.encryption_key.assign(material));
  parameters.spi = net::Be32::from_host(
      static_cast<uint32_t>(number_of({associated.begin(), associated.begin() + 4})));
  parameters.mode = Mode::Transport;
  parameters.extended_sequence = associated.size() == 12;
  return parameters;
}

TEST(EspVectors, AesGcm) {
  for (const GcmVector& vector : kGcmVectors) {
    SCOPED_TRACE(vector.name);
    const SaParameters parameters = vector_parameters(vector);
    const uint64_t sequence = number_of(tail(from_hex(vector.associated), 4));
    const Bytes iv = tail(from_hex(vector.nonce), 4);
    const Bytes text = from_hex(vector.text);

    const Bytes esp = seal(parameters, sequence, iv, text);
    EXPECT_EQ(tail(esp, 16), from_hex(std::string(vector.encrypted) + vector.tag));

    Fixture fixture;
    EspSa* sa = fixture.add(parameters);
    if (parameters.extended_sequence) {
      // The peer has sent so much already.
      ASSERT_EQ(sa->accept_sequence(sequence - 2), ReplayWindow::Verdict::Fresh);
    }
    const auto outcome = fixture.decapsulate(sa, outer_packet(esp));
    ASSERT_EQ(outcome.refusal, EspRefusal::None);
    const size_t trailer = text[text.size() - 2] + 2U;
    EXPECT_EQ(outcome.packet,
              ipv4_packet(1, {text.begin(), text.end() - static_cast<ptrdiff_t>(trailer)}));
  }
}

// RFC 7634 appendix A.
TEST(EspVectors, ChaCha20Poly1305) {
  SaParameters parameters = reference::parameters_of(
      {Encryption::ChaCha20Poly1305, Integrity::Combined}, Direction::Inbound, 0x01020304);
  ASSERT_TRUE(parameters.encryption_key.assign(
      from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3")));
  const Bytes inner = from_hex(
      "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f1011"
      "12131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637");
  const Bytes esp = from_hex(
      "0102030400000005101112131415161724039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407a"
      "e5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb"
      "94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43");
  EXPECT_EQ(
      seal(parameters, 5, from_hex("1011121314151617"), padded(parameters.transform, inner, 4)),
      esp);
  Fixture fixture;
  const auto outcome = fixture.decapsulate(fixture.add(parameters), outer_packet(esp));
  ASSERT_EQ(outcome.refusal, EspRefusal::None);
  EXPECT_EQ(outcome.packet, inner);
}

// RFC 3602 section 4, cases 5 to 8: ESP packets without ICV, to which ours is added.
struct CbcVector {
  const char* name;
  const char* key;
  uint8_t next_header;
  const char* esp;
  const char* payload;
};

constexpr CbcVector kCbcVectors[] = {
    {"5", "90d382b410eeba7ad938c46cec1a82bf", 1,
     "0000432100000001e96e8c08ab465763fd098d45dd3ff893f663c25d325c18c6a9453e194e120849a4870b66cc6b"
     "9965330013b4898dc856a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874aa269add0"
     "47ad2d5913ac19b7cfbad4a6",
     "08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425"
     "262728292a2b2c2d2e2f3031323334353637"},
    {"6", "90d382b410eeba7ad938c46cec1a82bf", 1,
     "000043210000000869d08df7d203329db093fc4924e5bd80f51995881ec4e0c4488987ce742e8109689bb379d2d7"
     "50c0d915dca346a89f75",
     "0800b5e8a80a0500a69c083d0b660e00777777777777777777777777"},
    {"7", "0123456789abcdef0123456789abcdef", 4,
     "0000876500000002f4e765244f6407adf13dc1380f673f37773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a"
     "93013c1b0ea1a0cf70f8e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5c177f132"
     "ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d",
     "45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b0c0d0e0f1011"
     "12131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637"},
    {"8", "0123456789abcdef0123456789abcdef", 4,
     "000087650000000585d47224b5f3dd5d2101d4ea8dffab2215b92683819596a8047232cc00f7048fe45318e11f8a"
     "0f62ede3c3fc61203bb50f980a08c9843fd3a1b06d5c07ff9639b7eb7dfb3512e5de435e7207ed971ef3d2726d9b"
     "5ef6affc6d17a0decbb13892",
     "45000044090c00004001f990c0a87b03c0a87bc80800d63caa0a0200c69c083da3de0300ffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffffffff"},
};

TEST(EspVectors, AesCbc) {
  for (const CbcVector& vector : kCbcVectors) {
    SCOPED_TRACE(vector.name);
    const Bytes published = from_hex(vector.esp);
    SaParameters parameters = reference::parameters_of(
        {Encryption::AesCbc128, Integrity::HmacSha256128}, Direction::Inbound,
        static_cast<uint32_t>(number_of({published.begin(), published.begin() + 4})));
    ASSERT_TRUE(parameters.encryption_key.assign(from_hex(vector.key)));
    parameters.mode = vector.next_header == 4 ? Mode::Tunnel : Mode::Transport;
    const Bytes payload = from_hex(vector.payload);
    const Bytes esp =
        seal(parameters, published[7], {published.begin() + 8, published.begin() + 24},
             padded(parameters.transform, payload, vector.next_header));
    ASSERT_EQ(Bytes(esp.begin(), esp.end() - 16), published);

    Fixture fixture;
    const auto outcome = fixture.decapsulate(fixture.add(parameters), outer_packet(esp));
    ASSERT_EQ(outcome.refusal, EspRefusal::None);
    EXPECT_EQ(outcome.packet,
              parameters.mode == Mode::Tunnel ? payload : ipv4_packet(vector.next_header, payload));
  }
}

// RFC 4868 section 2.7.2: AUTH256-1 and -2, AUTH384-1 and -2, AUTH512-1 and -2, with the hash
// states that the packet path uses.
struct HmacVector {
  Integrity integrity;
  IMB_HASH_ALG algorithm;
  const char* key_unit;  // repeated to the length of the key
  const char* data;
  const char* icv;
};

constexpr HmacVector kHmacVectors[] = {
    {Integrity::HmacSha256128, IMB_AUTH_HMAC_SHA_256, "\x0b", "Hi There",
     "198a607eb44bfbc69903a0f1cf2bbdc5"},
    {Integrity::HmacSha256128, IMB_AUTH_HMAC_SHA_256, "Jefe", "what do ya want for nothing?",
     "167f928588c5cc2eef8e3093caa0e87c"},
    {Integrity::HmacSha384192, IMB_AUTH_HMAC_SHA_384, "\x0b", "Hi There",
     "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973"},
    {Integrity::HmacSha384192, IMB_AUTH_HMAC_SHA_384, "Jefe", "what do ya want for nothing?",
     "2c7353974f1842fd66d53c452ca42122b28c0b594cfb184d"},
    {Integrity::HmacSha512256, IMB_AUTH_HMAC_SHA_512, "\x0b", "Hi There",
     "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"},
    {Integrity::HmacSha512256, IMB_AUTH_HMAC_SHA_512, "Jefe", "what do ya want for nothing?",
     "cb370917ae8a7ce28cfd1d8f4705d6141c173b2a9362c15df235dfb251b15454"},
};

TEST(EspVectors, HmacSha2Truncated) {
  auto manager = CryptoManager::create();
  ASSERT_TRUE(manager);
  for (const HmacVector& vector : kHmacVectors) {
    SCOPED_TRACE(vector.icv);
    SaParameters parameters =
        reference::parameters_of({Encryption::AesCbc128, vector.integrity}, Direction::Inbound);
    const std::string_view unit = vector.key_unit;
    Bytes key;
    while (key.size() < parameters.transform.integrity_key_bytes()) {
      key.insert(key.end(), unit.begin(), unit.end());
    }
    ASSERT_TRUE(parameters.integrity_key.assign(key));
    const KeySchedule keys(parameters, *manager);
    const std::string_view data = vector.data;
    Bytes icv(parameters.transform.icv_bytes());
    IMB_JOB* job = IMB_GET_NEXT_JOB(manager->get());
    *job = {};
    job->cipher_mode = IMB_CIPHER_NULL;
    job->hash_alg = vector.algorithm;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    job->src = reinterpret_cast<const uint8_t*>(data.data());
    job->msg_len_to_hash_in_bytes = data.size();
    job->auth_tag_output = icv.data();
    job->auth_tag_output_len_in_bytes = icv.size();
    job->u.HMAC._hashed_auth_key_xor_ipad = keys.cbc().inner.data();
    job->u.HMAC._hashed_auth_key_xor_opad = keys.cbc().outer.data();
    const IMB_JOB* done = IMB_SUBMIT_JOB(manager->get());
    if (done == nullptr) done = IMB_FLUSH_JOB(manager->get());
    ASSERT_NE(done, nullptr);
    ASSERT_EQ(done->status, IMB_STATUS_COMPLETED);
    EXPECT_EQ(icv, from_hex(vector.icv));
  }
}

}  // namespace
}  // namespace masugata::ipsec::reference
