import assert from "node:assert/strict";
import { test } from "node:test";
import { limitsOf } from "../../src/mqtt/limits.ts";
import { Requests } from "../../src/mqtt/requests.ts";
import { noCounts } from "../../src/mqtt/session-counters.ts";
import { FakeConnection } from "./fake-connection.ts";

type Codes = readonly number[] | null;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function requests(connack: Parameters<typeof limitsOf>[0] = {}) {
  const connection = new FakeConnection();
  const counters = noCounts();
  const answers: [string, Codes][] = [];
  const note =
    (name: string) =>
    (codes: Codes): void => {
      answers.push([name, codes]);
    };
  return { connection, counters, answers, note, asked: new Requests(connection, limitsOf(connack, null), counters) };
}

const withIds = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => ({ filter: `f/${from + index}`, qos: 1 as const, id: from + index }));

test("the codes are those of the entries, in whatever order the broker answers the packets", () => {
  const { connection, asked, answers, note } = requests();
  asked.subscribe(withIds(3), note("all"));
  assert.equal(connection.subscribed.length, 3);
  connection.subscribed[2]?.settle([0x87]);
  connection.subscribed[0]?.settle([1]);
  assert.deepEqual(answers, []);
  connection.subscribed[1]?.settle([0]);
  assert.deepEqual(answers, [["all", [1, 0, 0x87]]]);
});

test("filters without identifiers share packets", () => {
  const { connection, asked, answers, note } = requests();
  asked.subscribe(
    ["a", "b"].map((filter) => ({ filter, qos: 1 })),
    note("both"),
  );
  assert.equal(connection.subscribed.length, 1);
  connection.subscribed[0]?.settle([1, 0x80]);
  assert.deepEqual(answers, [["both", [1, 0x80]]]);
});

test("an UNSUBACK without codes is success for each filter", () => {
  const { connection, asked, answers, note } = requests();
  asked.unsubscribe(["a", "b"], note("both"));
  connection.unsubscribed[0]?.settle([]);
  assert.deepEqual(answers, [["both", [0, 0]]]);
});

test("the broker never owes more than 200 answers; each lets the next packet go", () => {
  const { connection, asked, note } = requests();
  asked.subscribe(withIds(250), note("many"));
  assert.equal(connection.subscribed.length, 200);
  connection.subscribed[0]?.settle([1]);
  assert.equal(connection.subscribed.length, 201);
  assert.equal(asked.idle, false);
  for (let index = 1; index < 250; index += 1) connection.subscribed[index]?.settle([1]);
  assert.equal(asked.idle, true);
});

test("requests go out in the order in which they were made", () => {
  const { connection, asked, note } = requests();
  asked.subscribe(withIds(200), note("first"));
  asked.unsubscribe(["x"], note("second"));
  assert.equal(connection.unsubscribed.length, 0);
  connection.subscribed[0]?.settle([1]);
  assert.equal(connection.unsubscribed.length, 1);
});

test("a request past the limit is refused whole, counted, and answered on a later turn", async () => {
  const { connection, counters, asked, answers, note } = requests();
  asked.subscribe(withIds(100_000), note("first"));
  asked.subscribe(withIds(300, 200_000), note("second"));
  assert.equal(answers.length, 0);
  await turn();
  assert.deepEqual(answers, [["second", new Array(300).fill(0x97)]]);
  assert.equal(counters.requestsRefusedFull, 300);
  assert.equal(connection.subscribed.length, 200);
});

test("a filter that no packet within the broker's limit can hold is answered 0x95, the others are sent", async () => {
  const { connection, asked, answers, note } = requests({ maximumPacketSize: 100 });
  const long = "x".repeat(100);
  asked.subscribe(
    ["a", long, "b"].map((filter) => ({ filter, qos: 1 })),
    note("sub"),
  );
  asked.unsubscribe([long, "a"], note("unsub"));
  assert.deepEqual(
    connection.subscribed.map(({ packet }) => packet.filters),
    [["a"], ["b"]],
  );
  connection.subscribed[0]?.settle([1]);
  connection.subscribed[1]?.settle([1]);
  connection.unsubscribed[0]?.settle([0]);
  await turn();
  assert.deepEqual(answers, [
    ["sub", [1, 0x95, 1]],
    ["unsub", [0x95, 0]],
  ]);
});

test("a lost connection answers each request once, with nothing", () => {
  const { connection, asked, answers, note } = requests();
  asked.subscribe(withIds(150), note("first"));
  asked.subscribe(withIds(150, 1_000), note("second"));
  connection.subscribed[0]?.settle([1]);
  for (const { settle } of connection.subscribed.slice(1, 201)) settle(null);
  asked.lose();
  assert.deepEqual(answers, [
    ["first", null],
    ["second", null],
  ]);
});

test("a request for nothing is answered, on a later turn", async () => {
  const { asked, answers, note } = requests();
  asked.subscribe([], note("none"));
  assert.deepEqual(answers, []);
  await turn();
  assert.deepEqual(answers, [["none", []]]);
});
