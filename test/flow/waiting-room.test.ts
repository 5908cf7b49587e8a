import assert from "node:assert/strict";
import { test } from "node:test";
import { WaitingRoom } from "../../src/flow/waiting-room.ts";
import { message } from "./rig.ts";

const MIB = 1024 * 1024;
const waiting = message("t", "");

test("no more waits than a window of MQTT has, and none is taken at the limit", () => {
  const room = new WaitingRoom();
  for (let count = 0; count < 65_535; count += 1) assert.ok(room.push({ message: waiting, bytes: 1, due: null }));
  assert.equal(room.push({ message: waiting, bytes: 1, due: null }), false);
  assert.equal(room.length, 65_535);
  room.shift();
  assert.equal(room.push({ message: waiting, bytes: 1, due: null }), true);
});

test("nor more than 256 MiB; what leaves makes room", () => {
  const room = new WaitingRoom();
  assert.ok(room.push({ message: waiting, bytes: 200 * MIB, due: null }));
  assert.ok(room.push({ message: waiting, bytes: 56 * MIB, due: null }));
  assert.equal(room.push({ message: waiting, bytes: 1, due: null }), false);
  room.shift();
  assert.equal(room.push({ message: waiting, bytes: 200 * MIB, due: null }), true);
  assert.equal(room.peek()?.bytes, 56 * MIB);
});
