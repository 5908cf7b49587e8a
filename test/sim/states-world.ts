/**
 * Two clusters, A whose clients set retained values and B that syncs them, over a hostile network. What the oracle asks for:
 *
 *   a value that B's own clients set is never replaced by one of A
 *   a state never makes B's value of a topic older than it was; nor does a live message, as long as all of them are reliable and
 *   nothing has failed that lets them come twice
 *   when all is calm, B has what A has on every topic that B asks for
 *   asking again for what is there already publishes nothing
 */
import { matches } from "../../src/topic/algebra.ts";
import { Prng } from "./prng.ts";
import { type Setter, StatesSite } from "./states-site.ts";
import { Timeline } from "./timeline.ts";

const STEPS = 60;
/** Longer than any wait of the conversation, a resend, a lingering route. */
const CALM_MS = 120_000;
const FILTERS = ["t/#", "t/+", "t/1", "t/2", "own/#", "#", "t/3"];

export class World {
  readonly #random: Prng;
  readonly #time = new Timeline(1_000_000);
  readonly #a: StatesSite;
  readonly #b: StatesSite;
  readonly #failures: string[] = [];
  readonly #counts = { states: 0, readings: 0, live: 0 };
  /** Of the last value that was set on A, by topic. */
  #value = 0;
  /** Frames get lost. */
  readonly #lossy: boolean;
  /** The ends of connections and lives: messages may come twice, and what is in memory is lost. */
  readonly #breaks: boolean;
  /** All live messages are reliable. */
  readonly #reliable: boolean;
  readonly #networkMs: number;
  readonly #held = new Set<string>();
  #linkUp = false;

  constructor(seed: number) {
    this.#random = new Prng(seed);
    const random = this.#random;
    this.#lossy = random.chance(0.6);
    this.#breaks = random.chance(0.4);
    this.#reliable = random.chance(0.5);
    this.#networkMs = random.pick([1, 20, 300]);
    const delayMs = random.pick([1, 10, 100]);
    const network = {
      control: (from: string, bytes: Uint8Array) =>
        this.#carry(from, false, (to) =>
          to.into((hub, nowMs) => hub.control(to === this.#a ? "a" : "b", from, bytes, nowMs)),
        ),
      frame: (from: string, bytes: Uint8Array) =>
        this.#carry(from, this.#lossy, (to) => to.into((hub, nowMs) => hub.frame(from, bytes, 0, nowMs))),
    };
    // A session that is slow, with a queue from before: what it brings is older than what is read meanwhile.
    const dataDelayMs = delayMs * random.pick([1, 1, 20]);
    const shape = { delayMs, dataDelayMs, retained: "strip" as const };
    this.#a = new StatesSite({ ...shape, name: "a", peer: "b", topics: [] }, this.#time, random, network);
    this.#b = new StatesSite(
      { ...shape, name: "b", peer: "a", topics: ["#"], retained: "sync" },
      this.#time,
      random,
      network,
    );
  }

  run(): { readonly failures: readonly string[]; readonly counts: Readonly<Record<string, number>> } {
    const random = this.#random;
    for (const topic of ["own/1", "own/2", "t/1", "t/2", "t/3", "t/4"]) this.#a.publish(topic, this.#next(), 1);
    this.#b.publish("own/1", "B's", 1);
    this.#b.onRetained = (topic, text, by) => this.#changes(topic, text, by);
    this.#a.start();
    this.#b.start();
    this.#link(true);
    for (let step = 0; step < STEPS && this.#failures.length === 0; step += 1) {
      this.#step();
      this.#pass(random.pick([0, 1, 10, 100, 2_000]) * random.next());
      if (step % 15 === 14) this.#calm();
    }
    this.#repeat();
    return { failures: this.#failures, counts: this.#counts };
  }

  #step(): void {
    const random = this.#random;
    const filter = random.pick(FILTERS);
    switch (random.int(0, this.#breaks ? 9 : 7)) {
      case 0:
      case 1:
        if (!this.#held.has(filter)) this.#b.subscribe("client", filter);
        this.#held.add(filter);
        break;
      case 2:
        if (this.#held.delete(filter)) this.#b.unsubscribe("client", filter);
        break;
      case 7:
        if (random.chance(0.3)) this.#link(!this.#linkUp);
        else this.#set();
        break;
      case 8:
        this.#b.dataDown();
        this.#pass(random.next() * 500);
        this.#b.dataUp();
        break;
      case 9:
        this.#restart(random.pick([this.#a, this.#b]));
        break;
      default:
        this.#set();
    }
  }

  /** A client of A sets a value. */
  #set(): void {
    const random = this.#random;
    this.#counts.live += 1;
    this.#a.publish(`t/${random.int(1, 4)}`, this.#next(), this.#reliable || random.chance(0.5) ? 1 : 0);
  }

  #next(): string {
    this.#value += 1;
    return String(this.#value);
  }

  #changes(topic: string, text: string, by: Setter): void {
    const before = this.#b.retained.get(topic)?.text;
    if (by === "client" || before === undefined) return;
    if (topic === "own/1") this.#failures.push(`B's own value on ${topic} became ${text}`);
    else if ((by === "state" || (this.#reliable && !this.#breaks)) && Number(text) < Number(before))
      this.#failures.push(`B's value on ${topic} was ${before}, and a ${by} one made it ${text}`);
  }

  #restart(site: StatesSite): void {
    this.#link(false);
    site.kill();
    this.#pass(this.#random.next() * 1_000);
    site.start();
    if (site === this.#b) for (const filter of this.#held) site.subscribe("client", filter);
    this.#link(true);
  }

  #link(up: boolean): void {
    if (up === this.#linkUp) return;
    this.#linkUp = up;
    for (const [site, peer] of [
      [this.#a, "b"],
      [this.#b, "a"],
    ] as const) {
      site.into((hub, nowMs) => (up ? hub.linkUp(peer, 1_000_000, nowMs) : hub.linkDown(peer, "cut", nowMs)));
    }
  }

  #carry(from: string, lossy: boolean, arrive: (to: StatesSite) => void): void {
    const to = from === "a" ? this.#b : this.#a;
    if (!this.#linkUp || (lossy && this.#random.chance(0.2))) return;
    this.#time.after(this.#random.next() * this.#networkMs, () => {
      if (this.#linkUp) arrive(to);
    });
  }

  #pass(ms: number): void {
    this.#time.runUntil(this.#time.nowMs + ms);
  }

  #calm(): void {
    this.#link(true);
    this.#pass(CALM_MS);
    // A best-effort message that is lost leaves an older value until the route comes anew.
    if (this.#reliable) this.#compare();
  }

  #compare(): void {
    for (const [topic, { text }] of this.#a.retained) {
      if (topic === "own/1" || ![...this.#held].some((filter) => matches(filter, topic))) continue;
      const there = this.#b.retained.get(topic)?.text;
      if (there !== text) this.#failures.push(`A has ${text} on ${topic}, B ${there ?? "nothing"}`);
    }
  }

  /** The routes go, and come anew: first what is missing comes, then nothing. */
  #repeat(): void {
    for (let round = 0; round < 2; round += 1) {
      for (const filter of this.#held) this.#b.unsubscribe("client", filter);
      this.#held.clear();
      this.#link(true);
      this.#pass(CALM_MS);
      const { republished } = this.#b;
      this.#held.add("#");
      this.#b.subscribe("client", "#");
      this.#pass(CALM_MS);
      this.#compare();
      if (round === 1 && this.#b.republished !== republished)
        this.#failures.push(`${this.#b.republished - republished} values were published again`);
    }
    const [link] = this.#a.hub?.status(this.#time.nowMs).links ?? [];
    this.#counts.states += link?.states.sent ?? 0;
    this.#counts.readings += link?.states.readings ?? 0;
  }
}
