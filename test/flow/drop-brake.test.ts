import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DropBrake } from "../../src/flow/drop-brake.ts";

/** A broker that counts every 10 s, and an agent that hands it 1,000 messages at full pace in that time. */
class Rig {
  readonly brake = new DropBrake();
  nowMs = 0;
  #total = 0;
  #republished = 0;

  constructor() {
    this.brake.counted(0, false, 0, false, 0);
  }

  /** Ten seconds pass, in which the broker drops that share of what it is handed; answers the per cent from now on. */
  tenSeconds(share: (percent: number) => number, draining = true): number {
    const handed = 10 * this.brake.percent;
    this.nowMs += 10_000;
    this.brake.tick(this.nowMs);
    this.#republished += handed;
    this.#total += Math.round(handed * share(this.brake.percent));
    this.brake.counted(this.#total, true, this.#republished, draining, this.nowMs);
    return this.brake.percent;
  }
}

const some = (): number => 0.1;
const none = (): number => 0;
/** A client takes so many per cent of the full pace. */
const taking = (percent: number) => (pace: number) => Math.max(0, pace - percent) / pace;

describe("the brake for what a broker drops", () => {
  test("halves when more is dropped while a backlog drains, holds for 30 s, and gives back a tenth each 10 s", () => {
    const rig = new Rig();
    const seen = [rig.tenSeconds(some)];
    for (let n = 0; n < 9; n += 1) seen.push(rig.tenSeconds(none));
    assert.deepEqual(seen, [50, 50, 50, 50, 60, 70, 80, 90, 100, 100]);
    assert.equal(rig.brake.deadlineMs, Number.POSITIVE_INFINITY);
  });

  test("does nothing while nothing drains, when nothing more is dropped, or when nothing was handed over", () => {
    const rig = new Rig();
    for (let n = 0; n < 5; n += 1) assert.equal(rig.tenSeconds(some, false), 100);
    for (let n = 0; n < 5; n += 1) assert.equal(rig.tenSeconds(none), 100);
    const brake = new DropBrake();
    brake.counted(10, true, 0, true, 0);
    assert.equal(brake.percent, 100);
  });

  test("halves again while that helps, and the 30 s begin anew", () => {
    const rig = new Rig();
    const seen: number[] = [];
    for (let n = 0; n < 8; n += 1) seen.push(rig.tenSeconds(n < 3 ? taking(15) : none));
    assert.deepEqual(seen, [50, 25, 12, 12, 12, 12, 22, 32]);
  });

  test("is released where it does not help, and rests for 10 minutes: a full queue of a client that is away loses its share at any pace", () => {
    const rig = new Rig();
    const seen: number[] = [];
    for (let n = 0; n < 70; n += 1) seen.push(rig.tenSeconds(() => 0.5));
    assert.deepEqual(seen.slice(0, 4), [50, 25, 100, 100]);
    assert.deepEqual(new Set(seen.slice(2, 62)), new Set([100]));
    assert.equal(seen[62], 50, "tried again");
  });

  test("a counter kept from before is where counting begins; a broker that starts anew counts from 0", () => {
    const brake = new DropBrake();
    brake.counted(500, false, 100, true, 0);
    assert.equal(brake.percent, 100);
    brake.counted(3, true, 200, true, 1);
    assert.equal(brake.percent, 100, "less than before");
    brake.counted(4, true, 300, true, 2);
    assert.equal(brake.percent, 50);
    const silent = new DropBrake();
    silent.counted(1, true, 100, true, 0);
    assert.equal(silent.percent, 50, "a broker says nothing until it has dropped something");
  });

  test("never stops a backlog, however often the broker says so", () => {
    const brake = new DropBrake();
    for (let n = 1; n < 40; n += 1) {
      brake.counted(n, true, 1_000 * 2 ** n, true, n);
      assert.ok(brake.percent >= 1, `${brake.percent}`);
    }
    assert.equal(brake.percent, 1);
  });

  test("time that passes at once gives back as much as step by step, and no more than all", () => {
    const rig = new Rig();
    rig.tenSeconds(some);
    rig.brake.tick(rig.nowMs + 3_600_000);
    assert.equal(rig.brake.percent, 100);
  });
});
