import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matches } from "../../src/topic/algebra.ts";
import { filterProblem, topicProblem } from "../../src/topic/filter.ts";
import {
  controlTopic,
  inboxFilters,
  messageTopic,
  parseName,
  peerInboxFilters,
  probeTopic,
  underPrefix,
} from "../../src/wire/names.ts";
import { anyName } from "./arbitraries.ts";

const anyPrefix = fc.constantFrom("$LINK", "_link", "a/b", "$LINK/v1", "ü");

test("a topic is spelled as the page says, and read back", () => {
  assert.equal(controlTopic("$LINK", "b", "a"), "$LINK/v1/b/a/ctl");
  assert.equal(messageTopic("$LINK", "b", "a"), "$LINK/v1/b/a/msg");
  fc.assert(
    fc.property(anyPrefix, anyName, anyName, (prefix, to, from) => {
      assert.deepEqual(parseName(prefix, controlTopic(prefix, to, from)), { to, from, kind: "ctl" });
      assert.deepEqual(parseName(prefix, messageTopic(prefix, to, from)), { to, from, kind: "msg" });
      for (const topic of [controlTopic, messageTopic]) assert.equal(topicProblem(topic(prefix, to, from)), null);
    }),
  );
});

test("what is not spelled so has no name", () => {
  const long = "a".repeat(65);
  for (const topic of [
    "",
    "$LINK",
    "$LINK/v1",
    "$LINK/v1/",
    "$LINK/v1/b/a",
    "$LINK/v1/b/a/",
    "$LINK/v1/b/a/ctl/",
    "$LINK/v1/b/a/ctl/x",
    "$LINK/v1//b/a/ctl",
    "$LINK/v1/b//ctl",
    "$LINK/v1//a/ctl",
    "$LINK/v1/b/a/CTL",
    "$LINK/v1/b/a/probe",
    "$LINK/v1/b/a/__proto__",
    "$LINK/v2/b/a/ctl",
    "$LINK/V1/b/a/ctl",
    "$LINKS/v1/b/a/ctl",
    "/$LINK/v1/b/a/ctl",
    "$link/v1/b/a/ctl",
    "x/$LINK/v1/b/a/ctl",
    "$LINK/v1/-b/a/ctl",
    "$LINK/v1/b/_a/ctl",
    "$LINK/v1/b b/a/ctl",
    "$LINK/v1/b/a\n/ctl",
    "$LINK/v1/b/a\u0000/ctl",
    "$LINK/v1/b/ä/ctl",
    "$LINK/v1/+/a/ctl",
    "$LINK/v1/b/#",
    "$LINK/v1/../a/ctl",
    `$LINK/v1/${long}/a/ctl`,
    `$LINK/v1/b/${long}/msg`,
    `$LINK/v1/${"/".repeat(65_000)}ctl`,
  ]) {
    assert.equal(parseName("$LINK", topic), null, topic.slice(0, 80));
  }
  assert.deepEqual(parseName("$LINK", `$LINK/v1/${"a".repeat(64)}/0/msg`), {
    to: "a".repeat(64),
    from: "0",
    kind: "msg",
  });
});

test("a name that is read back spells the topic it was read from, whatever the topic", () => {
  const level = fc.oneof(
    fc.constantFrom("ctl", "msg", "v1", "", "a", "b-_", "+", "$LINK"),
    fc.string({ maxLength: 5 }),
  );
  const topic = fc.array(level, { maxLength: 6 }).map((levels) => levels.join("/"));
  fc.assert(
    fc.property(
      fc.oneof(
        topic,
        topic.map((rest) => `$LINK/v1/${rest}`),
      ),
      (any) => {
        const name = parseName("$LINK", any);
        if (name === null) return;
        const spell = name.kind === "ctl" ? controlTopic : messageTopic;
        assert.equal(spell("$LINK", name.to, name.from), any);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("an agent hears every control topic on its own broker, frames for itself only, and on a peer's only that peer's", () => {
  const own = inboxFilters("$LINK", "b");
  const peers = peerInboxFilters("$LINK", "a", "b");
  for (const filter of [...own, ...peers]) assert.equal(filterProblem(filter), null);
  const hears = (filters: readonly string[], topic: string) => filters.some((filter) => matches(filter, topic));
  assert.ok(hears(own, controlTopic("$LINK", "b", "a")));
  assert.ok(hears(own, controlTopic("$LINK", "wrong", "a")), "a peer that calls it something else is told so");
  assert.ok(hears(own, messageTopic("$LINK", "b", "a")));
  assert.ok(!hears(own, messageTopic("$LINK", "c", "a")));
  assert.ok(!hears(own, probeTopic("$LINK", "b")));
  assert.ok(hears(peers, controlTopic("$LINK", "a", "b")));
  assert.ok(!hears(peers, controlTopic("$LINK", "a", "c")));
});

test("the control prefix is a level, not a beginning of letters", () => {
  for (const topic of ["$LINK", "$LINK/", "$LINK/v1/b/a/ctl", "$LINK/#", "$LINK/+/x"]) {
    assert.ok(underPrefix("$LINK", topic), topic);
  }
  for (const topic of ["$LINKS", "$LINKS/v1", "LINK/v1", "x/$LINK", "#", "+/v1", ""]) {
    assert.ok(!underPrefix("$LINK", topic), topic);
  }
  assert.ok(underPrefix("a/b", "a/b/c"));
  assert.ok(!underPrefix("a/b", "a/bc"));
  assert.equal(parseName("$LINK", probeTopic("$LINK", "b")), null);
});
