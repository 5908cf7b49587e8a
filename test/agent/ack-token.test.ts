import assert from "node:assert/strict";
import { test } from "node:test";
import { ackToken, ofAckToken } from "../../src/agent/ack-token.ts";

test("a token names connection and packet, also after years of reconnects", () => {
  for (const connection of [1, 2, 1_000_000_000]) {
    for (const packetId of [1, 65_535]) {
      assert.deepEqual(ofAckToken(ackToken(connection, packetId)), { connection, packetId });
    }
  }
  assert.notEqual(ackToken(1, 65_535), ackToken(2, 1));
});
