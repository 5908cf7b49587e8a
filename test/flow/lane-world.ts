/**
 * One direction of one link, from the sender's broker to the receiver's: a sender whose two logs survive it, a network that
 * loses, repeats and reorders frames and settlements, a receiver with a saved record, and a seed that says what goes wrong.
 * The sender's broker delivers again, in order, what was not acknowledged.
 */
import { AckLedger } from "../../src/flow/ack-ledger.ts";
import { Inbound, type Settlement } from "../../src/flow/inbound.ts";
import { Outbound } from "../../src/flow/outbound.ts";
import type { OutgoingFrame } from "../../src/flow/outgoing-frame.ts";
import type { SavedRecord } from "../../src/flow/stream-record.ts";
import { Prng } from "../sim/prng.ts";
import { SimDiskLog } from "../sim/sim-disk.ts";
import { message } from "./rig.ts";

const MAIN = "00000000000000aa";
const LIVE = "00000000000000bb";
const TOPICS = 12;
const STEP_MS = 20;

interface Accepted {
  readonly id: number;
  readonly topic: string;
  acknowledged: boolean;
}

export class LaneWorld {
  readonly random: Prng;
  readonly received: { readonly id: number; readonly topic: string }[] = [];
  readonly accepted: Accepted[] = [];
  passed = 0;
  nowMs = 1_000_000;
  readonly #logs = { main: new SimDiskLog(MAIN), live: new SimDiskLog(LIVE) };
  readonly #records = new Map<string, SavedRecord>();
  #out: Outbound;
  #into: Inbound;
  #life = 1;
  #token = 0;
  #linkUp = false;
  #calm = false;
  /** What is on its way, with when it arrives. */
  #frames: { readonly atMs: number; readonly life: number; readonly frame: OutgoingFrame }[] = [];
  #words: { readonly atMs: number; readonly life: number; readonly word: Settlement }[] = [];
  #answers: { readonly atMs: number; readonly into: Inbound; readonly token: number }[] = [];
  #localUp = true;
  #spoke = 0;
  #dropped = 0;
  readonly #bytesMax: number;
  readonly #topicsMax: number;
  /** How likely each log is synced at the end of a turn. */
  readonly #syncs: readonly [number, number];

  constructor(seed: number) {
    this.random = new Prng(seed);
    const { random } = this;
    this.#bytesMax = random.pick([1e9, 1e9, 20_000]);
    this.#topicsMax = random.pick([8, 1_000, 1_000]);
    this.#syncs = [random.pick([0.02, 0.3]), random.pick([0.02, 0.3])];
    this.#out = this.#sender();
    this.#into = this.#receiver();
  }

  /** So many steps of trouble, then calm until all has come. Answers what is wrong. */
  run(steps: number): string[] {
    const { random } = this;
    const trouble = random.pick([0.002, 0.005, 0.02]);
    this.#open();
    for (let step = 0; step < steps; step += 1) {
      this.nowMs += random.chance(0.02) ? 1_500 : STEP_MS;
      for (let count = random.int(0, 3); count > 0; count -= 1) this.#publish();
      if (random.chance(trouble)) this.#trouble();
      else if (random.chance(0.01)) this.#heal();
      this.#turn();
    }
    this.#calm = true;
    this.#heal();
    const endMs = this.nowMs + 200_000;
    while (this.nowMs < endMs && (this.#out.depth > 0 || this.#out.waiting > 0)) {
      this.nowMs += STEP_MS;
      this.#turn();
    }
    this.passed += this.#out.lanes.passed;
    return this.#wrong();
  }

  #wrong(): string[] {
    const wrong: string[] = [];
    const seen = new Set<number>();
    const newest = new Map<string, number>();
    for (const { id, topic } of this.received) {
      if (seen.has(id)) continue;
      seen.add(id);
      if (id < (newest.get(topic) ?? 0)) wrong.push(`${topic}: ${id} came after ${newest.get(topic)}`);
      newest.set(topic, Math.max(id, newest.get(topic) ?? 0));
    }
    const missing = this.accepted.filter(({ id }) => !seen.has(id)).length;
    for (const { id, topic, acknowledged } of this.accepted) {
      if (!seen.has(id) && missing > this.#dropped) wrong.push(`${topic}: ${id} never came`);
      if (!acknowledged) wrong.push(`${topic}: ${id} was never acknowledged`);
    }
    return wrong;
  }

  #publish(): void {
    // Few topics are busy, most are rare: both kinds must keep their order.
    const topic = this.random.chance(0.5) ? "busy" : `t/${this.random.int(1, TOPICS)}`;
    const accepted = { id: this.accepted.length + 1, topic, acknowledged: false };
    this.accepted.push(accepted);
    this.#offer(accepted);
  }

  #offer(accepted: Accepted): void {
    const ledger = this.#ledger;
    const due = ledger.begin(accepted.id, accepted.id);
    ledger.hold(due);
    this.#out.offer(message(accepted.topic, `${accepted.id}`), due, this.nowMs);
    ledger.routed(due);
  }

  #trouble(): void {
    const { random } = this;
    switch (random.pick(["cut", "cut", "sender", "receiver", "local"])) {
      case "cut":
        this.#linkUp = false;
        this.#out.disconnected();
        this.#frames = [];
        break;
      case "sender":
        this.#restartSender();
        break;
      case "receiver":
        this.#into = this.#receiver();
        if (!this.#localUp) this.#into.localDown();
        if (this.#linkUp) this.#out.restart();
        break;
      case "local":
        this.#localUp = false;
        this.#into.localDown();
        break;
    }
  }

  #heal(): void {
    if (!this.#linkUp) this.#open();
    if (this.#localUp) return;
    this.#localUp = true;
    this.#into.localUp();
  }

  #open(): void {
    this.#linkUp = true;
    this.#out.opened(1e6);
  }

  #restartSender(): void {
    this.passed += this.#out.lanes.passed;
    for (const log of [this.#logs.main, this.#logs.live]) log.crash();
    this.#life += 1;
    this.#out = this.#sender();
    this.#into.speakerChanged();
    if (this.#linkUp) this.#open();
    for (const accepted of this.accepted) if (!accepted.acknowledged) this.#offer(accepted);
  }

  #ledger = new AckLedger(() => {});

  #sender(): Outbound {
    this.#ledger = new AckLedger((ack) => {
      const accepted = this.accepted[ack - 1];
      if (accepted !== undefined) accepted.acknowledged = true;
    });
    return new Outbound(
      () => "",
      {
        spool: { bytesMax: this.#bytesMax, ageMaxMs: 1e9, whenFull: "drop_oldest" },
        framesInflightMax: 4,
        retryIntervalMs: 2_000,
        durability: "disk",
        logs: this.#logs,
        topicsMax: this.#topicsMax,
      },
      (_reason, count) => {
        this.#dropped += count;
      },
      this.#ledger,
    );
  }

  #receiver(): Inbound {
    const into = new Inbound(
      { wants: () => true, isControl: () => false },
      () => {
        this.#token += 1;
        return this.#token;
      },
      () => {},
      () => {},
    );
    for (const [stream, record] of this.#records) into.restore(stream, record);
    into.localUp();
    return into;
  }

  #turn(): void {
    const { random, nowMs } = this;
    const arrived = this.#frames.filter(({ atMs }) => atMs <= nowMs);
    this.#frames = this.#frames.filter(({ atMs }) => atMs > nowMs);
    for (const { life, frame } of arrived.sort((a, b) => a.atMs - b.atMs)) {
      if (life !== this.#life) continue;
      this.#spoke = nowMs;
      const speaker = { incarnation: life, instance: "00000000000000aa" };
      this.#into.frame({ ...frame, speaker, routeOp: 0 }, 100, 0, nowMs);
    }
    this.#republish();
    for (const settlement of this.#into.settlements()) {
      this.#records.set(settlement.stream, settlement);
      if (this.#linkUp && (this.#calm || !random.chance(0.1)))
        this.#words.push({ atMs: nowMs + random.int(1, 60), life: this.#life, word: settlement });
    }
    const words = this.#words.filter(({ atMs }) => atMs <= nowMs);
    this.#words = this.#words.filter(({ atMs }) => atMs > nowMs);
    for (const { word } of words) this.#out.settled(word.stream, word.upTo, word.ranges, nowMs);
    this.#out.tick(nowMs, this.#spoke);
    for (let frame = this.#out.nextFrame(nowMs); frame !== null; frame = this.#out.nextFrame(nowMs)) {
      for (let copies = this.#calm ? 1 : random.pick([0, 1, 1, 1, 1, 2]); copies > 0; copies -= 1)
        this.#frames.push({ atMs: nowMs + random.int(1, this.#calm ? 20 : 200), life: this.#life, frame });
    }
    for (const [at, log] of [this.#logs.live, this.#logs.main].entries()) {
      if (log.isSynced || !(this.#calm || random.chance(this.#syncs[at] ?? 1))) continue;
      log.synced(log.base, log.lastNumber);
      this.#out.synced(nowMs);
    }
  }

  #republish(): void {
    const { random, nowMs } = this;
    for (const { token, message: taken } of this.#into.pump(0, nowMs)) {
      this.received.push({ id: Number(new TextDecoder().decode(taken.payload)), topic: taken.topic });
      if (token !== null) this.#answers.push({ atMs: nowMs + random.int(0, 80), into: this.#into, token });
    }
    const answers = this.#answers.filter(({ atMs }) => atMs <= nowMs);
    this.#answers = this.#answers.filter(({ atMs }) => atMs > nowMs);
    for (const { into, token } of answers) into.republished(token, 0, nowMs);
  }
}
