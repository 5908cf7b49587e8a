import assert from "node:assert/strict";
import { test } from "node:test";
import { filterProblem } from "../../src/topic/filter.ts";
import { MosquittoRig } from "./mosquitto-rig.ts";
import { seeded } from "./recorder.ts";
import { RowTable } from "./row-table.ts";

const TOPICS = [
  "$SYS/broker/log/M/subscribe",
  "$SYS/broker/log/M/unsubscribe",
  "$SYS/broker/log/N",
  "$SYS/broker/log/E",
  "$SYS/broker/subscriptions/count",
  "$SYS/broker/publish/messages/dropped",
  "$SYS/broker/uptime",
  "elsewhere",
];

const IDS = [
  "a",
  "a 1 b",
  "a 1",
  "b",
  "b 2 a/x",
  "a disconnected.",
  "a has",
  "a disconnected due to b",
  "a (p2, c1, k60, u'x",
  "a (p2, c1, k60)",
  "b already connected, closing old connection.",
];
const FILTERS = [
  "x",
  "b",
  "1 b",
  "a/x",
  "b 0 x",
  "x y",
  "1 x 2 y",
  "+/b",
  "c disconnected.",
  "$share/g/x",
  "$share/g/1 x",
];
const USERS = [null, null, "u", "y (p2, c1, k60, u'z", "').", "y (p2, c1, k60)."];
const ENDS = [
  " disconnected.",
  " closed its connection.",
  " has exceeded timeout, disconnecting.",
  " disconnected due to protocol error.",
  " disconnected due to reasons.",
  " been disconnected by administrative action.",
  " has been disconnected by administrative action.",
  " disconnected: Broken pipe.",
];
const PREFIXES = ["", "1795396775: ", "2026-11-23T01:25:52: ", "Nov  3 01: "];

function picker(random: () => number): <T>(items: readonly T[]) => T {
  return (items) => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
}

test("random bytes never throw and never remove anything for certain", () => {
  const random = seeded(20_261_123);
  const pick = picker(random);
  for (let round = 0; round < 20_000; round += 1) {
    const rig = new MosquittoRig({ prefix: pick(PREFIXES) });
    if (round % 3 !== 0) rig.ready();
    const bytes = new Uint8Array(Math.floor(random() * 40));
    for (const index of bytes.keys()) bytes[index] = Math.floor(random() * 256);
    rig.raw(pick(TOPICS), bytes, random() < 0.1);
    assert.ok(!rig.sink.take().some((event) => event.startsWith("down")));
  }
});

test("a certain unsubscribe has one reading, or one that fits a connected client", () => {
  const random = seeded(42);
  const pick = picker(random);
  const words = ["a", "b", "0", "1", "2", "", "x/y", "#", "+", "Client", "disconnected."];
  let certain = 0;
  for (let round = 0; round < 5_000; round += 1) {
    const rig = new MosquittoRig().ready();
    const live = new Set(["OBSERVER"]);
    for (let count = Math.floor(random() * 4); count > 0; count -= 1) {
      const id = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(words)).join(" ");
      if (id === "") continue;
      rig.connect(id);
      live.add(id);
    }
    rig.sink.take();
    const line = Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(words)).join(" ");
    rig.unsub(line);
    const spaces = [...line.matchAll(/ /g)].map((match) => match.index).filter((at) => at > 0);
    const readings = spaces.filter((at) => filterProblem(line.slice(at + 1)) === null);
    const known = readings.filter((at) => live.has(line.slice(0, at)));
    const removed = rig.sink.events.filter((event) => event.type === "unsubscribed" && event.certain);
    assert.ok(removed.length <= 1, line);
    if (removed.length === 1) assert.ok(readings.length === 1 || known.length === 1, line);
    certain += removed.length;
  }
  assert.ok(certain > 500, `only ${certain} certain lines: the test tests nothing`);
});

interface Session {
  connected: boolean;
  /** The session ends with its connection: known from the line for MQTT 3, hidden for MQTT 5. */
  dies: boolean;
  readonly rows: Set<string>;
}

/** A broker on paper whose clients have the worst names. */
class PaperBroker {
  readonly sessions = new Map<string, Session>();
  readonly #rig: MosquittoRig;
  readonly #random: () => number;
  #port = 1024;

  constructor(rig: MosquittoRig, random: () => number) {
    this.#rig = rig;
    this.#random = random;
  }

  step(): void {
    const pick = picker(this.#random);
    const id = pick(IDS);
    const session = this.sessions.get(id);
    const roll = this.#random();
    if (session === undefined || !session.connected || roll < 0.1) {
      this.#connect(id, session, pick);
      return;
    }
    if (roll < 0.5) {
      const filter = pick(FILTERS);
      session.rows.add(filter);
      this.#rig.sub(`${id} ${pick([0, 1, 2])} ${filter}`);
    } else if (roll < 0.8) {
      const filter = pick(FILTERS);
      session.rows.delete(filter);
      this.#rig.unsub(`${id} ${filter}`);
    } else {
      session.connected = false;
      if (session.dies) this.sessions.delete(id);
      this.#rig.notice(`Client ${id}${pick(ENDS)}`);
    }
  }

  #connect(id: string, old: Session | undefined, pick: <T>(items: readonly T[]) => T): void {
    if (old !== undefined && !old.connected && this.#random() < 0.3) {
      this.sessions.delete(id);
      this.#rig.notice(`Expiring client ${id} due to timeout.`);
      return;
    }
    const [protocol, clean, user] = [pick([2, 5]), pick([0, 1]), pick(USERS)];
    if (old?.connected === true) {
      if (pick([true, false])) this.#rig.error(`Client ${id} already connected, closing old connection.`);
      else this.#rig.notice(`Client ${id} disconnected, session taken over.`);
    }
    const kept = old !== undefined && clean === 0 && !(old.connected && old.dies);
    const dies = protocol === 2 ? clean === 1 : pick([true, false]);
    this.sessions.set(id, { connected: true, dies, rows: kept ? old.rows : new Set() });
    this.#port += 1;
    const flags = `p${protocol}, c${clean}, k60`;
    this.#rig.connect(id, user === null ? flags : `${flags}, u'${user}'`, this.#port);
  }
}

test("an agent that was there first misses no row, whatever the clients are called", () => {
  let doubtful = 0;
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const rig = new MosquittoRig({ prefix: picker(random)(PREFIXES) }).ready();
    const broker = new PaperBroker(rig, random);
    const table = new RowTable();
    let applied = 0;
    for (let step = 0; step < 120; step += 1) {
      broker.step();
      for (const event of rig.sink.events.slice(applied)) table.apply(event);
      applied = rig.sink.events.length;
      for (const [client, { rows }] of broker.sessions) {
        for (const filter of rows)
          assert.ok(table.has(client, filter), `seed ${seed} step ${step}: ${client} lost ${filter}`);
      }
    }
    doubtful += rig.sink.oddities.length;
  }
  assert.ok(doubtful > 100, `only ${doubtful} doubtful lines: the names are too kind`);
});
