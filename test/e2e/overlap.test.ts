/** Filters that meet filters: one copy of each message, whatever overlaps, and none lost while filters change. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NumberedStream } from "./numbered-stream.ts";
import { Pair } from "./site.ts";

describe("# on both sides", { concurrency: false }, () => {
  let pair: Pair;
  before(async () => {
    pair = await Pair.open();
  });
  after(() => pair?.close());

  test("wildcards on one side meet topics of the other, each exactly once", async () => {
    const filters = ["w/+/c", "w/a/#", "+/a/c", "w/#", "#", "+/+/+", "w/a/c"];
    const readers = [];
    for (const [n, filter] of filters.entries()) {
      const reader = await pair.a.client({ version: n % 2 === 0 ? 5 : 4 });
      await reader.subscribe(filter);
      readers.push(reader);
    }
    const writer = await pair.b.client();
    for (const reader of readers) await writer.reaches(reader, "w/a/c");
    await pair.settled();
    for (let n = 0; n < 50; n += 1) await writer.publish("w/a/c", `each ${n}`, { qos: n % 2 === 0 ? 1 : 0 });
    await writer.publish("w/a/c", "last");
    const expected = Array.from({ length: 50 }, (_, n) => `each ${n}`);
    for (const reader of readers) {
      await reader.arrival("last");
      for (const text of expected) await reader.arrival(text);
      assert.deepEqual(
        reader
          .texts()
          .filter((text) => text !== "last")
          .sort(),
        [...expected].sort(),
      );
    }
    await pair.endClients();
  });

  test("a 3.1.1 client with overlapping filters gets one copy, and a v5 client what its own broker makes of one message", async () => {
    const writer = await pair.b.client();
    const local = await pair.a.client();
    const old = await pair.a.client({ version: 4 });
    const fresh = await pair.a.client({ version: 5 });
    const filters = ["o/#", "o/+", "o/1"];
    await old.subscribe(filters);
    await fresh.subscribe(filters);
    await writer.reaches(old, "o/1");
    await writer.reaches(fresh, "o/1");
    await pair.settled();
    await writer.publish("o/1", "from B");
    await local.publish("o/1", "from A");
    for (const client of [old, fresh]) {
      await client.arrival("from A");
      await client.arrival("from B");
    }
    await writer.publish("o/1", "last");
    await old.arrival("last");
    await fresh.arrival("last");
    const copies = (texts: string[], text: string): number => texts.filter((other) => other === text).length;
    assert.deepEqual([copies(old.texts(), "from A"), copies(old.texts(), "from B")], [1, 1]);
    // Mosquitto gives a v5 client one copy for each filter: a message from afar is no different from one at home.
    assert.equal(copies(fresh.texts(), "from B"), copies(fresh.texts(), "from A"));
    await pair.endClients();
  });

  test("no message is lost while wide and narrow filters replace one another", async () => {
    const [writer, steady] = [await pair.b.client(), await pair.a.client({ version: 4 })];
    await steady.subscribe("flow/a/1");
    await writer.reaches(steady, "flow/a/1");
    const stream = new NumberedStream(writer, "flow/a/1", 1);
    const changing = await pair.a.client({ version: 5 });
    const churn = [["flow/#"], ["flow/+/1", "flow/a/+"], ["#"], ["+/a/1"], ["flow/a/#", "+/+/1"]];
    for (let turn = 0; turn < 30; turn += 1) {
      const filters = churn[turn % churn.length] ?? [];
      await changing.subscribe(filters);
      const at = stream.sent;
      if (turn % 3 !== 0) await stream.reached(at + 40);
      await changing.unsubscribe(filters);
      if (turn % 3 === 1) await stream.reached(at + 120);
    }
    await stream.reached(4_000);
    await stream.stop();
    const tally = await stream.complete(steady);
    const { demand } = (await pair.b.agent.status()).hub;
    assert.equal(tally.disordered, 0);
    assert.equal(demand.markerTimeouts, 0);
    assert.equal(tally.duplicates, 0, "both copies of a message lie on one side of the marker");
    await pair.endClients();
  });

  test("a client that subscribes while messages flow gets everything published after its SUBACK", async () => {
    const [writer, helper] = [await pair.b.client(), await pair.a.client()];
    // The route stands through somebody else's wider filter or not at all, in turns.
    const stream = new NumberedStream(writer, "join/1", 2);
    for (let turn = 0; turn < 10; turn += 1) {
      const other = turn % 2 === 0 ? "join/#" : "elsewhere";
      await helper.subscribe(other);
      const reader = await pair.a.client({ version: turn % 3 === 0 ? 4 : 5 });
      await reader.subscribe("join/1");
      await writer.reaches(reader, "join/1");
      const from = stream.sent + 1;
      await helper.unsubscribe(other);
      await stream.reached(from + 60);
      const tally = await stream.complete(reader, from, from + 59);
      assert.equal(tally.duplicates, 0);
      await reader.end();
    }
    await stream.stop();
    await pair.endClients();
  });

  test("a shared group on each side gets each message once, and plain subscribers theirs", async () => {
    const groups = [];
    for (const site of [pair.a, pair.b]) {
      const members = [await site.client({ version: 5 }), await site.client({ version: 4 })];
      for (const member of members) await member.subscribe("$share/workers/jobs/#");
      const plain = await site.client();
      await plain.subscribe("jobs/+");
      groups.push({ members, plain });
    }
    const writers = [await pair.a.client(), await pair.b.client()];
    for (const { plain } of groups) for (const writer of writers) await writer.reaches(plain, "jobs/1");
    const expected: string[] = [];
    for (const [index, writer] of writers.entries()) {
      for (let n = 0; n < 100; n += 1) {
        expected.push(`job ${index} ${n}`);
        await writer.publish("jobs/1", `job ${index} ${n}`);
      }
    }
    for (const writer of writers) await writer.publish("jobs/1", `last of ${writer.id}`);
    for (const { members, plain } of groups) {
      for (const writer of writers) await plain.arrival(`last of ${writer.id}`);
      for (const text of expected) await plain.arrival(text);
      const jobs = (texts: string[]): string[] => texts.filter((text) => text.startsWith("job ")).sort();
      assert.deepEqual(jobs(plain.texts()), [...expected].sort());
      // As in EMQX: the groups of two clusters are two groups, each gets a copy.
      assert.deepEqual(jobs(members.flatMap((member) => member.texts())), [...expected].sort());
    }
    await pair.endClients();
  });

  test("routes of a shared filter come and go with its members", async () => {
    const [one, two, writer] = [await pair.a.client(), await pair.a.client(), await pair.b.client()];
    await one.subscribe("$share/g1/shared/only");
    await two.subscribe("$share/g2/shared/only");
    await writer.reaches(one, "shared/only");
    await writer.reaches(two, "shared/only");
    await one.end();
    await writer.publish("shared/only", "still");
    await two.arrival("still");
    await two.unsubscribe("$share/g2/shared/only");
    await pair.b.agent.untilLink("a", "no route is left", (link) => link.in.routes === 0 || `${link.in.routes}`);
    await pair.endClients();
  });
});
