import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalInbox } from "../../src/agent/local-inbox.ts";
import { FakeSession } from "./fake-session.ts";

function inbox() {
  const [link, data] = [new FakeSession(), new FakeSession()];
  const said: string[] = [];
  const made = new LocalInbox("$LINK", "a", link, data, {
    controlDenied: (topic, why) => said.push(`${topic} ${why}`),
    controlWorks: () => said.push("works"),
  });
  return { link, data, said, made };
}

const FILTERS = ["$LINK/v1/+/+/ctl", "$LINK/v1/a/+/msg", "$LINK/v1/a/a/probe"];

test("is subscribed with the connection, names what was refused, and is probed by way of its own filters", () => {
  const { link, data, said, made } = inbox();
  let up = false;
  made.linkUp(() => {
    up = true;
  });
  assert.deepEqual(link.subscribed[0]?.filters, FILTERS);
  link.subscribed[0]?.done([1, 0x87, 1]);
  assert.equal(up, true);
  assert.match(said[0] ?? "", /^\$LINK\/v1\/a\/\+\/msg SUBSCRIBE refused: not authorized/);
  const topics = data.published.map(({ topic }) => topic);
  assert.deepEqual(topics, ["$LINK/v1/a/a/probe", "$LINK/v1/a/a/ctl", "$LINK/v1/a/a/msg"]);
  assert.deepEqual(
    topics.map((topic) => made.message(topic)),
    [true, true, true],
  );
  assert.equal(made.message("$LINK/v1/a/b/ctl"), false);
  assert.deepEqual(said.slice(1), ["works"]);
  made.stop();
});

test("what is denied is subscribed again, since a subscription may be what is missing", () => {
  const { link, data, said, made } = inbox();
  made.linkUp(() => {});
  link.subscribed[0]?.done([1, 1, 1]);
  data.published[0]?.done({ ok: true, reasonCode: 0x87 });
  assert.equal(said.length, 1);
  assert.deepEqual(link.subscribed[1]?.filters, FILTERS);
  made.stop();
});

test("a connection that ended before the answer is not up", () => {
  const { link, data, made } = inbox();
  made.linkUp(() => assert.fail("it is not"));
  link.subscribed[0]?.done(null);
  assert.deepEqual(data.published, []);
});
