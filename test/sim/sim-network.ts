/**
 * The wide area between the brokers. Whatever a control message or a frame may suffer between two agents happens here:
 * loss, repetition, delay, reordering, a black hole, a cut, a size limit, arrival in a later connection's or a later
 * life's time, rubbish in its place. A link whose peer dials in travels on the peer's connection.
 */
import { isPacked } from "../../src/wire/packed-frame.ts";
import type { Prng } from "./prng.ts";
import type { ClusterShape, WorldShape } from "./shape.ts";
import { SimCodec } from "./sim-codec.ts";
import type { Timeline } from "./timeline.ts";

export interface Weather {
  readonly drop: number;
  readonly repeat: number;
  /** Chance of arriving 2-45 s late. */
  readonly late: number;
  readonly delayMaxMs: number;
}

export const CALM: Weather = { drop: 0, repeat: 0, late: 0, delayMaxMs: 20 };

export type PathKind = "ctl" | "msg";

/** The connection of one cluster's agent to a peer's broker. */
export interface Dialled {
  up: boolean;
  blackHole: boolean;
  will: Uint8Array | null;
}

export interface SimPeer {
  readonly cluster: string;
  /** Whether the agent listens on its own broker. */
  readonly linkUp: boolean;
  control(from: string, bytes: Uint8Array): void;
  frame(from: string, bytes: Uint8Array): void;
  frameRefused(peer: string, frame: number): void;
}

/** Control messages kept of each path, to come back at the wrong time. */
const RELICS_MAX = 40;

export class SimNetwork {
  weather: Weather = CALM;
  readonly counts = {
    carried: 0,
    dropped: 0,
    repeated: 0,
    late: 0,
    tooLarge: 0,
    refused: 0,
    rubbish: 0,
    relics: 0,
    packed: 0,
  };
  /** Of all agents that compress. */
  readonly codec = new SimCodec();
  /** Frames carried, by path. */
  readonly frames = new Map<string, number>();
  readonly #time: Timeline;
  readonly #random: Prng;
  readonly #shape: WorldShape;
  readonly #agents: (cluster: string) => readonly SimPeer[];
  readonly #dialled = new Map<string, Dialled>();
  readonly #relics = new Map<string, Uint8Array[]>();

  /** `agents`: those that go by a cluster's name; two in the case of a double. */
  constructor(time: Timeline, random: Prng, shape: WorldShape, agents: (cluster: string) => readonly SimPeer[]) {
    this.#time = time;
    this.#random = random;
    this.#shape = shape;
    this.#agents = agents;
  }

  dialled(from: string, to: string): Dialled {
    const key = `${from} ${to}`;
    let connection = this.#dialled.get(key);
    if (connection === undefined) {
      connection = { up: false, blackHole: false, will: null };
      this.#dialled.set(key, connection);
    }
    return connection;
  }

  control(from: string, to: string, bytes: Uint8Array): void {
    const relics = this.#relics.get(`${from} ${to}`) ?? [];
    if (relics.length === 0) this.#relics.set(`${from} ${to}`, relics);
    if (relics.length < RELICS_MAX) relics.push(bytes);
    else relics[this.#random.int(0, RELICS_MAX - 1)] = bytes;
    this.#carry("ctl", from, to, bytes);
  }

  frame(from: string, to: string, id: number, bytes: Uint8Array, confirm: boolean): void {
    this.frames.set(`${from} ${to}`, (this.frames.get(`${from} ${to}`) ?? 0) + 1);
    if (isPacked(bytes)) this.counts.packed += 1;
    if (bytes.length > this.#brokerOf(from, to).hiddenBytesMax) {
      this.counts.refused += 1;
      if (confirm) this.#time.after(5, () => this.#tell(from, (agent) => agent.frameRefused(to, id)));
      return;
    }
    this.#carry("msg", from, to, bytes);
  }

  /** The connection ends without DISCONNECT: the peer's broker publishes its Will. */
  cut(from: string, to: string): void {
    const connection = this.dialled(from, to);
    connection.up = false;
    const { will } = connection;
    connection.will = null;
    if (will !== null) this.#time.after(this.#random.next() * 3_000, () => this.#deliver("ctl", from, to, will));
  }

  /** A control message of long ago, perhaps of an earlier life, arrives now. */
  relic(from: string, to: string): void {
    const relics = this.#relics.get(`${from} ${to}`);
    if (relics === undefined || relics.length === 0) return;
    this.counts.relics += 1;
    this.#deliver("ctl", from, to, this.#random.pick(relics));
  }

  /** Bytes that no agent sends: noise, a message cut short, one with something behind it. */
  rubbish(from: string, to: string): void {
    const random = this.#random;
    const model = this.#relics.get(`${from} ${to}`)?.at(-1) ?? new Uint8Array([66]);
    let bytes: Uint8Array;
    switch (random.pick(["noise", "short", "long"])) {
      case "noise":
        bytes = Uint8Array.from({ length: random.int(0, 60) }, () => random.int(0, 255));
        break;
      case "short":
        bytes = model.slice(0, random.int(0, model.length - 1));
        break;
      default:
        bytes = new Uint8Array([...model, random.int(0, 255)]);
    }
    this.counts.rubbish += 1;
    this.#deliver(random.pick(["ctl", "msg"]), from, to, bytes);
  }

  #brokerOf(from: string, to: string): ClusterShape {
    const host = this.#shape.link(from, to).dials ? to : from;
    const cluster = this.#shape.clusters.find(({ name }) => name === host);
    if (cluster === undefined) throw new Error(`no cluster ${host}`);
    return cluster;
  }

  #carry(kind: PathKind, from: string, to: string, bytes: Uint8Array): void {
    if (bytes.length > this.#brokerOf(from, to).packetBytesMax) {
      this.counts.tooLarge += 1;
      return;
    }
    const { weather } = this;
    const connection = this.#shape.link(from, to).dials ? this.dialled(from, to) : this.dialled(to, from);
    if (!connection.up || connection.blackHole || this.#random.chance(weather.drop)) {
      this.counts.dropped += 1;
      return;
    }
    this.counts.carried += 1;
    this.#arrive(kind, from, to, bytes);
    if (this.#random.chance(weather.repeat)) {
      this.counts.repeated += 1;
      this.#arrive(kind, from, to, bytes);
    }
  }

  #arrive(kind: PathKind, from: string, to: string, bytes: Uint8Array): void {
    const late = this.#random.chance(this.weather.late);
    if (late) this.counts.late += 1;
    const delayMs = late ? this.#random.int(2_000, 45_000) : 1 + this.#random.next() * this.weather.delayMaxMs;
    this.#time.after(delayMs, () => this.#deliver(kind, from, to, bytes));
  }

  #deliver(kind: PathKind, from: string, to: string, bytes: Uint8Array): void {
    // What is published on the receiver's own broker needs the receiver's session there.
    const onOwnBroker = this.#shape.link(from, to).dials;
    this.#tell(to, (agent) => {
      if (onOwnBroker && !agent.linkUp) return;
      if (kind === "ctl") agent.control(from, bytes);
      else agent.frame(from, bytes);
    });
  }

  #tell(cluster: string, say: (agent: SimPeer) => void): void {
    for (const agent of this.#agents(cluster)) say(agent);
  }
}
