import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, linkValue, writableLink } from "../../src/page/link-value.ts";
import type { LinkAnswer } from "../../src/page/overview.ts";

const ANSWER = {
  name: "b",
  enable: true,
  server: "mqtt://b:1883",
  username: "u",
  password: "******",
  topics: ["a/#", "c"],
  max_inflight: 7,
  status: "connected",
  node_status: [],
  brokerlink: {},
} as unknown as LinkAnswer;

test("what was not touched goes back as it came, without what cannot be written", () => {
  const { status: _status, node_status: _nodes, brokerlink: _detail, ...rest } = ANSWER;
  assert.deepEqual(linkValue(fieldsOf(ANSWER), ANSWER), rest);
  assert.deepEqual(writableLink(ANSWER), rest);
});

test("an empty field takes its key away, and lines become filters", () => {
  const fields = { ...fieldsOf(ANSWER), server: " ", username: "", password: "", topics: " x/# \n\n y " };
  assert.deepEqual(linkValue(fields, ANSWER), { name: "b", enable: true, topics: ["x/#", "y"], max_inflight: 7 });
});

test("a new link has what was typed and nothing else", () => {
  const fields = { ...fieldsOf(null), name: " c ", server: "mqtt://c" };
  assert.deepEqual(linkValue(fields, null), { name: "c", enable: true, topics: ["#"], server: "mqtt://c" });
});
