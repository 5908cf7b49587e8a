/**
 * The other side of a link, written from docs/PROTOCOL.md alone on top of the codec in test/wire: no code of src/ takes part.
 * As small as the page allows: one connection to the agent's broker, no clients of its own, and a memory instead of a
 * broker behind it.
 */
import mqtt, { type MqttClient } from "mqtt";
import {
  decodePlainControl,
  decodePlainFrame,
  encodePlainControl,
  encodePlainFrame,
  type PlainBody,
  type PlainMark,
  type PlainMessage,
  type PlainSpeaker,
} from "../wire/plain-codec.ts";
import { plainDigest } from "../wire/plain-hash.ts";

const FRAME_BYTES_MAX = 16_777_216;
const FRAME_EXPIRY_SECONDS = 3_600;
const HELLO_RETRY_MS = 1_000;
const HEARTBEAT_MS = 10_000;

export interface ForeignPeerOptions {
  readonly me: string;
  readonly peer: string;
  /** The broker on which this side publishes: that of the agent. */
  readonly url: string;
  /** The broker on which the agent publishes for this side: the same one if the agent cannot dial out. */
  readonly inboxUrl: string;
  readonly prefix?: string;
}

interface Operation {
  readonly op: string;
  readonly filter: string;
  readonly groups?: readonly string[];
}

/** A set of routes with its digest, section 7. */
class Routes {
  readonly filters = new Map<string, readonly string[]>();
  op = 0;

  apply({ op, filter, groups = [] }: Operation): void {
    if (op === "add") this.filters.set(filter, groups);
    else this.filters.delete(filter);
  }

  mark(): PlainMark {
    let digest = 0n;
    for (const [filter, groups] of this.filters) digest ^= BigInt(`0x${plainDigest(filter, groups)}`);
    const [high, low] = [Number(digest >> 32n), Number(digest & 0xffffffffn)];
    return { op: this.op, count: this.filters.size, digest: { high, low } };
  }
}

export class ForeignPeer {
  /** Everything the agent said, in order. */
  readonly heard: PlainBody[] = [];
  readonly problems: string[] = [];
  /** Messages of the agent's stream, each number once. */
  readonly received: PlainMessage[] = [];
  readonly ours = new Routes();
  theirs = new Routes();
  speaker: PlainSpeaker;
  settledUpTo = 0;
  readonly #options: ForeignPeerOptions;
  readonly #clients: MqttClient[] = [];
  readonly #stream: string;
  #staged = new Routes();
  #stagedParts = 0;
  #stagedNumber = 0;
  #agent: PlainSpeaker | null = null;
  #connection = 0;
  #greeting = 0;
  #bootstrap = 0;
  #state: "greeting" | "bootstrapping" | "online" = "greeting";
  #sent = 0;
  #timers: NodeJS.Timeout[] = [];
  readonly #seen = new Set<number>();

  constructor(options: ForeignPeerOptions, instance: string, incarnation: number) {
    this.#options = options;
    this.speaker = { incarnation, instance };
    this.#stream = instance.split("").reverse().join("");
  }

  get state(): string {
    return this.#state;
  }

  // ── section 2 ────────────────────────────────────────────────────────────────────────────────────────

  async connect(): Promise<void> {
    const { me, peer, url, inboxUrl } = this.#options;
    this.#connection += 1;
    this.#greeting = this.#connection * 1_024;
    const lost = { type: "goodbye", kind: "lost", greeting: this.#greeting };
    const will = { topic: this.#topic(peer, me, "ctl"), payload: this.#bytes(lost), qos: 1, retain: false } as const;
    const sender = await this.#dial(url, { will });
    const inbox = inboxUrl === url ? sender : await this.#dial(inboxUrl, {});
    inbox.on("message", (topic, payload, packet) => {
      if (packet.retain) return;
      if (topic === this.#topic(me, peer, "ctl")) this.#control(payload);
      else if (topic === this.#topic(me, peer, "msg")) this.#frame(payload);
    });
    for (const kind of ["ctl", "msg"] as const)
      await inbox.subscribeAsync(this.#topic(me, peer, kind), { qos: 1, nl: true });
    this.greet();
    this.#timers = [
      setInterval(() => this.#state === "greeting" && this.#hello(), HELLO_RETRY_MS),
      setInterval(() => this.#state === "online" && this.heartbeat(), HEARTBEAT_MS),
    ];
  }

  /** The link is removed here. */
  leave(): void {
    this.send({ type: "goodbye", kind: "leave", greeting: this.#greeting });
  }

  /** The connection breaks; the broker says the Will. */
  vanish(): void {
    this.#stopTimers();
    for (const client of this.#clients.splice(0)) {
      client.stream.destroy();
      client.end(true);
    }
  }

  async stop(): Promise<void> {
    this.#stopTimers();
    await Promise.all(this.#clients.splice(0).map((client) => client.endAsync(true)));
  }

  send(body: PlainBody): void {
    this.sendBytes(this.#bytes(body));
  }

  sendBytes(bytes: Uint8Array): void {
    const { me, peer } = this.#options;
    this.#clients[0]?.publish(this.#topic(peer, me, "ctl"), Buffer.from(bytes), { qos: 1 });
  }

  // ── section 9: our half ──────────────────────────────────────────────────────────────────────────────

  greet(): void {
    this.#greeting += 1;
    this.#state = "greeting";
    this.#hello();
  }

  announce(...operations: Operation[]): void {
    const firstOp = this.ours.op + 1;
    for (const operation of operations) {
      this.ours.apply(operation);
      this.ours.op += 1;
    }
    if (this.#state === "online") this.send({ type: "routes", firstOp, ops: operations });
  }

  heartbeat(mark: PlainMark = this.ours.mark()): void {
    this.send({ type: "heartbeat", mark });
  }

  /** A frame of one reliable message; the same number again is a resend. */
  publish(topic: string, payload: string, number: number = this.#sent + 1, routeOp = this.ours.op): void {
    this.#sent = Math.max(this.#sent, number);
    const message = {
      topic,
      payload: Buffer.from(payload),
      qos: 1,
      retain: false,
      properties: { contentType: "text/plain", userProperties: [["k", "v"]] },
      expiryMs: 60_000,
    };
    const frame = encodePlainFrame({
      speaker: this.speaker,
      routeOp,
      stream: this.#stream,
      base: this.settledUpTo + 1,
      messages: [{ number, message, origin: null }],
    });
    const { me, peer } = this.#options;
    this.#clients[0]?.publish(this.#topic(peer, me, "msg"), Buffer.from(frame), {
      qos: 0,
      properties: { messageExpiryInterval: FRAME_EXPIRY_SECONDS },
    });
  }

  #hello(): void {
    const { me, peer } = this.#options;
    this.send({
      type: "hello",
      greeting: this.#greeting,
      to: peer,
      from: me,
      agentVersion: "foreign/1",
      protocolMin: 1,
      protocolMax: 1,
      frameBytesMax: FRAME_BYTES_MAX,
    });
  }

  #sendBootstrap(): void {
    this.#state = "bootstrapping";
    this.#bootstrap += 1;
    const bootstrap = this.#bootstrap;
    const ops = [...this.ours.filters].map(([filter, groups]) => ({ op: "add", filter, groups }));
    this.send({ type: "bootstrap", bootstrap, part: 0, ops });
    this.send({ type: "bootstrap_end", bootstrap, parts: 1, mark: this.ours.mark() });
  }

  // ── section 5: what the agent says ───────────────────────────────────────────────────────────────────

  #control(bytes: Uint8Array): void {
    const decoded = decodePlainControl(bytes);
    if (!decoded.ok) {
      this.problems.push(decoded.problem);
      return;
    }
    const { speaker, body } = decoded.value;
    this.heard.push(body);
    switch (body.type) {
      case "hello":
        this.#helloed(speaker, Number(body["greeting"]));
        break;
      case "ack":
        if (body["greeting"] === this.#greeting && body["result"] === "ok") this.#accepted(body["have"]);
        break;
      case "bootstrap_ack":
        if (body["done"] === true && body["bootstrap"] === this.#bootstrap) this.#state = "online";
        break;
      case "again":
        if (body["what"] === "hello") this.greet();
        else this.#sendBootstrap();
        break;
      case "settled":
        if (body["stream"] === this.#stream) this.settledUpTo = Math.max(this.settledUpTo, Number(body["upTo"]));
        break;
      case "bootstrap":
      case "bootstrap_end":
      case "routes":
        this.#theirHalf(speaker, body);
        break;
    }
  }

  #accepted(have: unknown): void {
    const { op, count, digest } = this.ours.mark();
    const held = have as PlainMark | null;
    const same =
      held?.op === op && held.count === count && held.digest.high === digest.high && held.digest.low === digest.low;
    if (same) this.#state = "online";
    else this.#sendBootstrap();
  }

  // ── section 10: their half ───────────────────────────────────────────────────────────────────────────

  #helloed(of: PlainSpeaker, greeting: number): void {
    const newLife = this.#agent?.instance !== of.instance;
    if (newLife) this.#stagedNumber = 0;
    this.#agent = of;
    this.send({
      type: "ack",
      greeting,
      of,
      name: this.#options.me,
      result: "ok",
      highest: of.incarnation,
      have: null,
      protocolMin: 1,
      protocolMax: 1,
      frameBytesMax: FRAME_BYTES_MAX,
    });
    if (newLife && this.#state !== "greeting") this.greet();
  }

  #theirHalf(of: PlainSpeaker, body: PlainBody): void {
    const ops = (body["ops"] ?? []) as Operation[];
    if (body.type === "routes") {
      const skip = this.theirs.op + 1 - Number(body["firstOp"]);
      for (const operation of skip < 0 ? [] : ops.slice(skip)) {
        this.theirs.apply(operation);
        this.theirs.op += 1;
      }
      this.send({ type: "routes_ack", of, op: this.theirs.op });
      return;
    }
    const bootstrap = Number(body["bootstrap"]);
    if (bootstrap > this.#stagedNumber) {
      this.#stagedNumber = bootstrap;
      this.#stagedParts = 0;
      this.#staged = new Routes();
    }
    let done = false;
    if (body.type === "bootstrap" && body["part"] === this.#stagedParts) {
      for (const operation of ops) this.#staged.apply(operation);
      this.#stagedParts += 1;
    } else if (body.type === "bootstrap_end" && body["parts"] === this.#stagedParts) {
      const mark = body["mark"] as PlainMark;
      this.#staged.op = mark.op;
      if (JSON.stringify(this.#staged.mark()) === JSON.stringify(mark)) {
        this.theirs = this.#staged;
        done = true;
      } else this.problems.push("digest_mismatch");
    }
    this.send({ type: "bootstrap_ack", of, bootstrap, nextPart: this.#stagedParts, done });
  }

  // ── section 11 ───────────────────────────────────────────────────────────────────────────────────────

  #frame(bytes: Uint8Array): void {
    const decoded = decodePlainFrame(bytes);
    if (!decoded.ok) {
      this.problems.push(decoded.problem);
      return;
    }
    const { speaker: of, stream, base, messages } = decoded.value;
    for (const message of messages) {
      if (message.number !== null && this.#seen.has(message.number)) continue;
      if (message.number !== null) this.#seen.add(message.number);
      this.received.push(message);
    }
    let upTo = base - 1;
    while (this.#seen.has(upTo + 1)) upTo += 1;
    this.send({ type: "settled", of, stream, upTo, ranges: [] });
  }

  #bytes(body: PlainBody): Buffer {
    return Buffer.from(encodePlainControl({ speaker: this.speaker, body }));
  }

  #topic(to: string, from: string, kind: "ctl" | "msg"): string {
    return `${this.#options.prefix ?? "$LINK"}/v1/${to}/${from}/${kind}`;
  }

  async #dial(url: string, more: mqtt.IClientOptions): Promise<MqttClient> {
    const client = await mqtt.connectAsync(url, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      queueQoSZero: false,
      ...more,
    });
    client.on("error", () => {});
    this.#clients.push(client);
    return client;
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }
}
