/**
 * What was accepted arrives, whatever is killed, cut, filled or restarted in between: real brokers and agents, each fault
 * three times, judged by what publishers were told and the subscriber got. `npm run torture` does it for longer.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FAULTS } from "../torture/faults.ts";
import { round, told } from "../torture/run.ts";
import type { TortureOptions } from "../torture/torture-pair.ts";

const ROUNDS = 3;
/** Two brokers, two agents and their clients each: more at once would test the machine. */
const AT_ONCE = 5;
const SEED = Number(process.env["TORTURE_SEED"] ?? Date.now() % 1_000_000);
const DISK: TortureOptions = {
  carrier: "agents",
  durability: "disk",
  messagesPerSecond: 500,
  publishers: 5,
  payloadBytes: 100,
};

/** Lets so many work at once; the longest are asked for first. */
class Turnstile {
  #free = AT_ONCE;
  readonly #waiting: (() => void)[] = [];

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resume) => this.#waiting.push(resume));
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

const turnstile = new Turnstile();

function judged(name: string, options: TortureOptions, rounds = ROUNDS): void {
  const fault = FAULTS.find((known) => known.name === name);
  if (fault === undefined) throw new Error(`no fault ${name}`);
  test(`${fault.what} (${options.durability})`, async (t) => {
    const results = await Promise.all(
      Array.from({ length: rounds }, (_, at) => turnstile.through(() => round(fault, SEED + at, options))),
    );
    for (const result of results) t.diagnostic(told(result));
    for (const { outcome, seed, tail } of results) {
      assert.ok(outcome.accepted > 100, "there was a load");
      assert.deepEqual(outcome.lost.slice(0, 20), [], `TORTURE_SEED=${seed}: lost ${outcome.lost.length}\n${tail}`);
      if (fault.duplicates === "none") assert.equal(outcome.duplicates, 0, `TORTURE_SEED=${seed}: duplicates`);
      assert.equal(outcome.disordered, 0, `TORTURE_SEED=${seed}: order`);
    }
  });
}

describe(`nothing that was accepted is lost, seed ${SEED}`, { concurrency: true }, () => {
  for (const name of [
    "freeze-receiver",
    "black-hole",
    "cut-30s",
    "disk-full",
    "flapping",
    "kill-both",
    "kill-sender",
    "kill-receiver",
    "restart-sending-broker",
    "restart-receiving-broker",
    "local-cut",
    "cut-1s",
  ]) {
    judged(name, DISK);
  }
  // Nothing is on a disk: what is not confirmed stays with the broker, whose queue is sized for it.
  for (const name of ["kill-both", "cut-5s", "restart-sending-broker"]) {
    judged(name, { ...DISK, durability: "end_to_end", messagesPerSecond: 100 });
  }
  // The queue of the subscriber is Mosquitto's default, and it takes twice the live rate.
  judged(
    "cut-20s",
    { ...DISK, messagesPerSecond: 1_000, receivingLines: ["max_queued_messages 1000"], takesPerSecond: 2_000 },
    1,
  );
});
