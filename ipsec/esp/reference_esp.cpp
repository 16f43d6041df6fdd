// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/reference_esp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cctype>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace masugata::ipsec::reference {
namespace {

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

void require(bool good) {
  if (!good) throw std::runtime_error("OpenSSL refused what the reference asked for");
}

const EVP_CIPHER* cipher_of(EspTransform transform) {
  switch (transform.encryption) {
    case Encryption::AesGcm128:
      return EVP_aes_128_gcm();
    case Encryption::AesGcm192:
      return EVP_aes_192_gcm();
    case Encryption::AesGcm256:
      return EVP_aes_256_gcm();
    case Encryption::ChaCha20Poly1305:
      return EVP_chacha20_poly1305();
    case Encryption::AesCbc128:
      return EVP_aes_128_cbc();
    case Encryption::AesCbc192:
      return EVP_aes_192_cbc();
    case Encryption::AesCbc256:
      return EVP_aes_256_cbc();
  }
  return nullptr;
}

Bytes big_endian(uint64_t value, size_t bytes) {
  Bytes out(bytes);
  for (size_t i = 0; i < bytes; ++i) out[bytes - 1 - i] = static_cast<uint8_t>(value >> (8 * i));
  return out;
}

void append(Bytes& to, std::span<const uint8_t> more) {
  to.insert(to.end(), more.begin(), more.end());
}

Bytes nonce_of(const SaParameters& parameters, std::span<const uint8_t> iv) {
  Bytes nonce;
  if (parameters.transform.is_combined()) append(nonce, parameters.encryption_key.span().last(4));
  append(nonce, iv);
  return nonce;
}

Bytes associated_data(const SaParameters& parameters, uint64_t sequence) {
  Bytes data = big_endian(parameters.spi.host(), 4);
  append(data, big_endian(sequence, parameters.extended_sequence ? 8 : 4));
  return data;
}

Bytes run_cipher(const SaParameters& parameters, uint64_t sequence, std::span<const uint8_t> iv,
                 const Bytes& text, Bytes* tag, bool encrypting) {
  Context context(EVP_CIPHER_CTX_new());
  const Bytes nonce = nonce_of(parameters, iv);
  int written = 0;
  require(EVP_CipherInit_ex(context.get(), cipher_of(parameters.transform), nullptr,
                            parameters.encryption_key.span().data(), nonce.data(),
                            encrypting ? 1 : 0) == 1);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  Bytes out(text.size() + 32);
  if (parameters.transform.is_combined()) {
    const Bytes aad = associated_data(parameters, sequence);
    require(EVP_CipherUpdate(context.get(), nullptr, &written, aad.data(),
                             static_cast<int>(aad.size())) == 1);
  }
  require(EVP_CipherUpdate(context.get(), out.data(), &written, text.data(),
                           static_cast<int>(text.size())) == 1);
  out.resize(static_cast<size_t>(written));
  if (!parameters.transform.is_combined()) return out;
  if (!encrypting) {
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag->data()) == 1);
  }
  uint8_t rest[32];
  if (EVP_CipherFinal_ex(context.get(), rest, &written) != 1) return {};
  if (encrypting) {
    tag->resize(16);
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag->data()) == 1);
  }
  return out;
}

Bytes hmac_of(const SaParameters& parameters, uint64_t sequence, std::span<const uint8_t> esp) {
  const EVP_MD* digest = EVP_sha256();
  if (parameters.transform.integrity == Integrity::HmacSha384192) digest = EVP_sha384();
  if (parameters.transform.integrity == Integrity::HmacSha512256) digest = EVP_sha512();
  Bytes data(esp.begin(), esp.end());
  if (parameters.extended_sequence) append(data, big_endian(sequence >> 32U, 4));
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned written = 0;
  const auto key = parameters.integrity_key.span();
  HMAC(digest, key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(),
       &written);
  out.resize(parameters.transform.icv_bytes());
  return out;
}

}  // namespace

Bytes from_hex(std::string_view digits) {
  Bytes bytes;
  std::string pair;
  for (const char digit : digits) {
    if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) continue;
    pair.push_back(digit);
    if (pair.size() < 2) continue;
    bytes.push_back(static_cast<uint8_t>(std::stoul(pair, nullptr, 16)));
    pair.clear();
  }
  return bytes;
}

std::vector<EspTransform> all_transforms() {
  std::vector<EspTransform> transforms;
  for (size_t e = 0; e < kEncryptionCount; ++e) {
    for (size_t i = 0; i < kIntegrityCount; ++i) {
      const EspTransform transform{static_cast<Encryption>(e), static_cast<Integrity>(i)};
      if (transform.valid()) transforms.push_back(transform);
    }
  }
  return transforms;
}

SaParameters parameters_of(EspTransform transform, Direction direction, uint32_t spi) {
  SaParameters parameters;
  parameters.spi = net::Be32::from_host(spi);
  parameters.direction = direction;
  parameters.transform = transform;
  parameters.local = *net::IpAddress::parse("192.0.2.1");
  parameters.remote = *net::IpAddress::parse("198.51.100.1");
  Bytes encryption(transform.encryption_key_bytes());
  Bytes integrity(transform.integrity_key_bytes());
  for (size_t i = 0; i < encryption.size(); ++i) {
    encryption[i] = static_cast<uint8_t>(spi * 7 + i * 13 + 1);
  }
  for (size_t i = 0; i < integrity.size(); ++i) {
    integrity[i] = static_cast<uint8_t>(spi * 5 + i * 29 + 3);
  }
  require(parameters.encryption_key.assign(encryption));
  require(parameters.integrity_key.assign(integrity));
  return parameters;
}

SaParameters peer_of(const SaParameters& parameters) {
  SaParameters peer = parameters.duplicate();
  peer.direction =
      parameters.direction == Direction::Inbound ? Direction::Outbound : Direction::Inbound;
  std::swap(peer.local, peer.remote);
  std::swap(peer.udp.local_port, peer.udp.remote_port);
  std::swap(peer.local_selectors, peer.remote_selectors);
  return peer;
}

Bytes seal(const SaParameters& parameters, uint64_t sequence, const Bytes& iv, Bytes text) {
  Bytes tag;
  const Bytes encrypted = run_cipher(parameters, sequence, iv, text, &tag, true);
  Bytes esp = big_endian(parameters.spi.host(), 4);
  append(esp, big_endian(sequence & 0xffffffffU, 4));
  append(esp, iv);
  append(esp, encrypted);
  if (!parameters.transform.is_combined()) tag = hmac_of(parameters, sequence, esp);
  append(esp, tag);
  return esp;
}

std::optional<Bytes> open(const SaParameters& parameters, uint64_t sequence,
                          std::span<const uint8_t> esp) {
  const size_t iv_bytes = parameters.transform.iv_bytes();
  const size_t icv_bytes = parameters.transform.icv_bytes();
  const auto iv = esp.subspan(8, iv_bytes);
  const auto body = esp.subspan(8 + iv_bytes, esp.size() - 8 - iv_bytes - icv_bytes);
  Bytes tag(esp.end() - static_cast<ptrdiff_t>(icv_bytes), esp.end());
  if (!parameters.transform.is_combined() &&
      hmac_of(parameters, sequence, esp.first(esp.size() - icv_bytes)) != tag) {
    return std::nullopt;
  }
  Bytes text = run_cipher(parameters, sequence, iv, Bytes(body.begin(), body.end()), &tag, false);
  if (text.empty()) return std::nullopt;
  return text;
}

Bytes padded(EspTransform transform, Bytes payload, uint8_t next_header) {
  uint8_t padding = 0;
  while ((payload.size() + 2) % transform.alignment_bytes() != 0) payload.push_back(++padding);
  payload.push_back(padding);
  payload.push_back(next_header);
  return payload;
}

Bytes ipv4_packet(uint8_t protocol, const Bytes& payload, uint8_t traffic_class,
                  bool dont_fragment) {
  Bytes packet = from_hex("45000000 12340000 40000000 0a000001 0a010001");
  const Bytes length = big_endian(packet.size() + payload.size(), 2);
  packet[1] = traffic_class;
  packet[2] = length[0];
  packet[3] = length[1];
  packet[6] = dont_fragment ? 0x40 : 0;
  packet[9] = protocol;
  uint32_t sum = 0;
  for (size_t i = 0; i < packet.size(); i += 2) {
    sum += static_cast<uint32_t>(packet[i] << 8U | packet[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  packet[10] = static_cast<uint8_t>(~sum >> 8U);
  packet[11] = static_cast<uint8_t>(~sum);
  append(packet, payload);
  return packet;
}

Bytes ipv6_packet(uint8_t next_header, const Bytes& payload, uint8_t traffic_class) {
  Bytes packet = from_hex(
      "60000000 00000040 20010db8000000000000000000000001 20010db8000100000000000000000001");
  packet[0] = static_cast<uint8_t>(0x60U | traffic_class >> 4U);
  packet[1] = static_cast<uint8_t>(traffic_class << 4U);
  const Bytes length = big_endian(payload.size(), 2);
  packet[4] = length[0];
  packet[5] = length[1];
  packet[6] = next_header;
  append(packet, payload);
  return packet;
}

PacketBuffer::PacketBuffer(const Bytes& packet, uint16_t headroom, uint16_t tailroom)
    : storage_(headroom, 0xee),
      headroom_(headroom),
      tailroom_(tailroom),
      length_(static_cast<uint32_t>(packet.size())) {
  append(storage_, packet);
  storage_.insert(storage_.end(), tailroom, 0xee);
}

EspPacket PacketBuffer::packet(EspSa* sa, uint16_t esp_offset) {
  EspPacket packet;
  packet.data = storage_.data() + headroom_;
  packet.length = length_;
  packet.headroom = headroom_;
  packet.tailroom = tailroom_;
  packet.sa = sa;
  packet.esp_offset = esp_offset;
  return packet;
}

Bytes bytes_of(const EspPacket& packet) { return {packet.data, packet.data + packet.length}; }

Fixture::Fixture() {
  auto worker = EspWorker::create();
  auto memory = SaMemory::create(64);
  if (!worker || !memory) throw std::runtime_error("no memory for SAs");
  worker_ = std::move(*worker);
  memory_ = std::move(*memory);
}

EspSa* Fixture::add(const SaParameters& parameters, uint64_t now_ms) {
  auto sa = memory_->build(parameters, now_ms);
  if (!sa) throw std::runtime_error(sa.error().message());
  sas_.push_back(std::move(*sa));
  return sas_.back().get();
}

Fixture::Outcome Fixture::encapsulate(EspSa* sa, const Bytes& packet, uint64_t now_ms) {
  PacketBuffer buffer(packet);
  EspPacket one = buffer.packet(sa);
  worker_->encapsulate({&one, 1}, now_ms);
  return {one.refusal, one.refusal == EspRefusal::None ? bytes_of(one) : Bytes{}};
}

Fixture::Outcome Fixture::decapsulate(EspSa* sa, const Bytes& packet, uint64_t now_ms) {
  PacketBuffer buffer(packet, 0, 0);
  EspPacket one = buffer.packet(sa, esp_offset_of(packet));
  worker_->decapsulate({&one, 1}, now_ms);
  return {one.refusal, one.refusal == EspRefusal::None ? bytes_of(one) : Bytes{}};
}

uint16_t esp_offset_of(const Bytes& outer) {
  const bool v4 = outer[0] >> 4U == 4;
  const uint8_t protocol = outer[v4 ? 9 : 6];
  return static_cast<uint16_t>((v4 ? 20 : 40) + (protocol == 17 ? 8 : 0));
}

}  // namespace masugata::ipsec::reference
