// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/json_rpc_server.h"

#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <vector>

#include "dataplane/control/test_client.h"

namespace masugata::dataplane::control {
namespace {

int code_of(const Json& message) { return message.at("error").at("code").get<int>(); }
int number_of(RpcErrorCode code) { return static_cast<int>(code); }

class JsonRpcServerTest : public testing::Test {
 protected:
  JsonRpcServerTest() {
    loop_ = std::move(EventLoop::create([this] { return now_ms_; }).value());
    start({});
  }
  void start(ServerLimits limits) {
    server_.reset();
    server_ = std::make_unique<JsonRpcServer>(
        *loop_, methods(), [this](const PeerCredentials&) { return role_; }, limits);
  }
  MethodTable methods() {
    MethodTable table;
    table["echo"] = {Role::Observer, [](const Json& parameters, const Responder& responder) {
                       responder.result(parameters);
                     }};
    table["later"] = {Role::Observer, [this](const Json&, const Responder& responder) {
                        waiting_.push_back(responder);
                      }};
    table["big"] = {Role::Observer, [](const Json& parameters, const Responder& responder) {
                      responder.result(std::string(parameters.at("bytes").get<size_t>(), 'x'));
                    }};
    table["forget"] = {Role::Observer, [](const Json&, const Responder&) {}};
    table["change"] = {Role::Administrator,
                       [](const Json&, const Responder& responder) { responder.result(true); }};
    return table;
  }

  uint64_t now_ms_ = 0;
  std::optional<Role> role_ = Role::Administrator;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<JsonRpcServer> server_;
  std::vector<Responder> waiting_;
};

TEST_F(JsonRpcServerTest, AnswersARequest) {
  TestClient client(*loop_, *server_);
  EXPECT_EQ(client.call("echo", {{"a", 1}}),
            Json::parse(R"({"jsonrpc":"2.0","id":1,"result":{"a":1}})"));
}

TEST_F(JsonRpcServerTest, ReportsErrorsAndGoesOn) {
  TestClient client(*loop_, *server_);
  client.send_text("nonsense\n");
  EXPECT_EQ(code_of(client.answer()), number_of(RpcErrorCode::ParseError));
  EXPECT_EQ(code_of(client.call("absent")), number_of(RpcErrorCode::MethodNotFound));
  EXPECT_EQ(code_of(client.call("forget")), number_of(RpcErrorCode::InternalError));
  // The method throws a type error of the JSON library.
  EXPECT_EQ(code_of(client.call("big", {{"bytes", "many"}})),
            number_of(RpcErrorCode::InternalError));
  EXPECT_EQ(client.call("echo").at("result"), Json::object());
}

TEST_F(JsonRpcServerTest, AnswersManyRequestsOfOneWriteInOrder) {
  TestClient client(*loop_, *server_);
  std::string text;
  for (int id = 0; id < 100; ++id) {
    text += R"({"jsonrpc":"2.0","method":"echo","id":)" + std::to_string(id) + "}\n";
  }
  client.send_text(text);
  client.serve();
  std::istringstream lines(client.received());
  std::string line;
  int expected = 0;
  while (std::getline(lines, line)) EXPECT_EQ(Json::parse(line).at("id"), expected++);
  EXPECT_EQ(expected, 100);
}

TEST_F(JsonRpcServerTest, NotificationsAreServedWithoutAnAnswer) {
  TestClient client(*loop_, *server_);
  client.send_text("{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n\n");
  client.serve();
  EXPECT_EQ(client.received(), "");
  EXPECT_EQ(server_->counters().requests, 1U);
}

TEST_F(JsonRpcServerTest, RolesDecideWhoMayChangeThings) {
  role_ = Role::Observer;
  TestClient observer(*loop_, *server_);
  EXPECT_EQ(code_of(observer.call("change")), number_of(RpcErrorCode::NotPermitted));
  EXPECT_TRUE(observer.call("echo").contains("result"));
  role_ = std::nullopt;
  TestClient stranger(*loop_, *server_);
  EXPECT_EQ(code_of(stranger.answer()), number_of(RpcErrorCode::NotPermitted));
  EXPECT_TRUE(stranger.is_closed_by_server());
  EXPECT_EQ(server_->client_count(), 1U);
}

TEST_F(JsonRpcServerTest, RefusesClientsBeyondTheBound) {
  ServerLimits limits;
  limits.clients = 2;
  start(limits);
  TestClient first(*loop_, *server_);
  TestClient second(*loop_, *server_);
  TestClient third(*loop_, *server_);
  EXPECT_EQ(code_of(third.answer()), number_of(RpcErrorCode::Overloaded));
  EXPECT_TRUE(third.is_closed_by_server());
  first.hang_up();
  second.serve();
  TestClient fourth(*loop_, *server_);
  EXPECT_TRUE(fourth.call("echo").contains("result"));
}

TEST_F(JsonRpcServerTest, AnswersThatAreTooLargeBecomeAnError) {
  ServerLimits limits;
  limits.response_bytes = 1000;
  start(limits);
  TestClient client(*loop_, *server_);
  EXPECT_EQ(code_of(client.call("big", {{"bytes", 1000}})), number_of(RpcErrorCode::TooLarge));
}

TEST_F(JsonRpcServerTest, ARequestThatIsTooLongEndsTheConnection) {
  TestClient client(*loop_, *server_);
  const std::string piece(60000, 'x');
  for (size_t sent = 0; sent < kMaximumRequestBytes; sent += piece.size()) {
    client.send_text(piece);
    client.serve();
  }
  EXPECT_EQ(code_of(client.answer()), number_of(RpcErrorCode::TooLarge));
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(JsonRpcServerTest, ASlowClientIsNotReadAndDoesNotHoldUpOthers) {
  TestClient slow(*loop_, *server_);
  TestClient quick(*loop_, *server_);
  for (int id = 0; id < 10; ++id) slow.request(id, "big", {{"bytes", 1000000}});
  slow.serve();
  EXPECT_LT(server_->counters().requests, 5U);
  EXPECT_TRUE(quick.call("echo").contains("result"));
  // Once it takes its answers it gets all of them.
  size_t bytes = 0;
  for (int round = 0; round < 1000 && bytes < 10 * 1000000; ++round) {
    slow.serve();
    bytes += slow.received().size();
  }
  EXPECT_GT(bytes, 10U * 1000000U);
  EXPECT_EQ(server_->counters().requests, 11U);
}

TEST_F(JsonRpcServerTest, AClientThatTakesNothingIsDisconnectedInTime) {
  TestClient slow(*loop_, *server_);
  slow.request(1, "big", {{"bytes", 4000000}});
  slow.serve();
  now_ms_ += 29000;
  slow.serve();
  EXPECT_EQ(server_->client_count(), 1U);
  now_ms_ += 6000;
  slow.serve();
  EXPECT_EQ(server_->client_count(), 0U);
  EXPECT_EQ(server_->counters().slow_clients, 1U);
}

TEST_F(JsonRpcServerTest, AStreamThatIsNotTakenEndsAtTheBound) {
  TestClient slow(*loop_, *server_);
  slow.request(1, "later");
  slow.serve();
  ASSERT_EQ(waiting_.size(), 1U);
  int closed = 0;
  waiting_[0].on_close([&] { ++closed; });
  const Json parameters = {{"text", std::string(1000000, 'x')}};
  int sent = 0;
  while (sent < 100 && waiting_[0].notify("line", parameters)) ++sent;
  EXPECT_GT(sent, 15);
  EXPECT_LT(sent, 25);
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(server_->counters().slow_clients, 1U);
  waiting_[0].result(1);  // harmless
}

TEST_F(JsonRpcServerTest, ABoundOnPendingRequestsPausesTheClient) {
  TestClient client(*loop_, *server_);
  for (int id = 0; id < 20; ++id) client.request(id, "later");
  client.serve();
  EXPECT_EQ(waiting_.size(), 16U);
  waiting_[3].result("done");
  EXPECT_EQ(client.answer().at("id"), 3);
  EXPECT_EQ(waiting_.size(), 17U);
}

TEST_F(JsonRpcServerTest, AnswersAfterTheClientHasGoneAreHarmless) {
  TestClient client(*loop_, *server_);
  client.request(1, "later");
  client.serve();
  int closed = 0;
  waiting_.at(0).on_close([&] { ++closed; });
  client.hang_up();
  loop_->run_once(0);
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(server_->client_count(), 0U);
  waiting_.at(0).result(1);
  EXPECT_FALSE(waiting_.at(0).notify("line", {}));
  waiting_.at(0).on_close([&] { ++closed; });
  EXPECT_EQ(closed, 2);
}

TEST_F(JsonRpcServerTest, AClientMayStopSendingAndStillGetsItsAnswer) {
  TestClient client(*loop_, *server_);
  client.request(1, "later");
  client.stop_sending();
  client.serve();
  ASSERT_EQ(waiting_.size(), 1U);
  waiting_[0].result("done");
  EXPECT_EQ(client.answer().at("result"), "done");
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(JsonRpcServerTest, RespondersMayOutliveTheServer) {
  TestClient client(*loop_, *server_);
  client.request(1, "later");
  client.serve();
  server_.reset();
  waiting_.at(0).result(1);
  EXPECT_TRUE(client.is_closed_by_server());
}

}  // namespace
}  // namespace masugata::dataplane::control
