/**
 * The links' ways to their peers: a connection for each that we dial, and our own link session for those that dial in.
 * They come and go while the agent runs; of one that was let go nothing is heard any more.
 */
import type { EndpointConfig, LinkConfig } from "../config/types.ts";
import type { Hub } from "../hub/hub.ts";
import type { SessionProblem } from "../mqtt/session.ts";
import type { SessionCounters } from "../mqtt/session-counters.ts";
import type { CarrierAnswers } from "./carrier-answers.ts";
import { EmqxLinks, type EmqxLinksParts } from "./emqx-links.ts";
import type { LinkConnection } from "./link-connection.ts";
import { PeerConnection, type PeerConnectionEvents } from "./peer-connection.ts";

export interface PeerConnectionsParts extends Pick<EmqxLinksParts, "config" | "problem"> {
  readonly cluster: string;
  readonly hub: Hub;
  readonly answers: CarrierAnswers;
  /** Does work of the hub, in a turn of its own. */
  readonly then: (work: (nowMs: number) => void) => void;
  readonly frame: (from: string, bytes: Uint8Array, stayMs: number) => void;
  readonly controlAnswered: (name: string, reasonCode: number) => void;
}

export class PeerConnections {
  readonly all = new Map<string, LinkConnection>();
  /** Those with EMQX clusters, among them. */
  readonly emqx: EmqxLinks;
  readonly #parts: PeerConnectionsParts;
  readonly #dialIns = new Set<string>();
  /** Of our link session on the local broker; null: it is down. */
  #localPacketBytesMax: number | null = null;

  constructor(parts: PeerConnectionsParts) {
    this.#parts = parts;
    this.emqx = new EmqxLinks({ ...parts, all: this.all });
  }

  /** Does not start it. A peer that dials in is there at once if our link session is. */
  add(link: LinkConfig): void {
    const { name, endpoint } = link;
    if (endpoint !== null) {
      const isEmqx = link.protocol === "emqx";
      this.all.set(name, isEmqx ? this.emqx.open(link, endpoint) : this.#connection(link, endpoint));
      return;
    }
    this.#dialIns.add(name);
    const packetBytesMax = this.#localPacketBytesMax;
    if (packetBytesMax !== null) this.#parts.then((nowMs) => this.#parts.hub.linkUp(name, packetBytesMax, nowMs));
  }

  start(name: string): void {
    this.emqx.listen();
    this.all.get(name)?.start();
  }

  /** Resolves when it is closed, after what was said last has left. */
  async remove(name: string, graceMs: number): Promise<void> {
    this.#dialIns.delete(name);
    const connection = this.all.get(name);
    this.all.delete(name);
    await connection?.stop(graceMs);
    await this.emqx.closed(graceMs);
  }

  /** Other secrets, from the next connection on. */
  renew(name: string, endpoint: EndpointConfig): void {
    this.all.get(name)?.renew(endpoint);
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.all.values()].map((connection) => connection.stop(graceMs)));
    await this.emqx.stop(graceMs);
  }

  get counters(): Readonly<Record<string, SessionCounters>> {
    return Object.fromEntries([...this.all].map(([name, { counters }]) => [name, counters]));
  }

  localUp(packetBytesMax: number): void {
    this.#localPacketBytesMax = packetBytesMax;
    this.emqx.localUp();
    const { hub, then } = this.#parts;
    then((nowMs) => {
      for (const name of this.#dialIns) hub.linkUp(name, packetBytesMax, nowMs);
    });
  }

  localDown(problem: SessionProblem): void {
    this.#localPacketBytesMax = null;
    const { hub, then } = this.#parts;
    then((nowMs) => {
      for (const name of this.#dialIns) hub.linkDown(name, problem.reason, nowMs);
    });
  }

  #connection({ name, controlPrefix }: LinkConfig, endpoint: EndpointConfig): PeerConnection {
    const { cluster, hub, answers, then, frame, controlAnswered } = this.#parts;
    const ifCurrent = (work: () => void): void => {
      if (this.all.get(name) === connection) work();
    };
    const events: PeerConnectionEvents = {
      up: (packetBytesMax) => ifCurrent(() => then((nowMs) => hub.linkUp(name, packetBytesMax, nowMs))),
      down: (problem) => ifCurrent(() => this.#down(name, problem)),
      control: (bytes) => ifCurrent(() => then((nowMs) => hub.control(cluster, name, bytes, nowMs))),
      frame: (bytes, stayMs) => ifCurrent(() => frame(name, bytes, stayMs)),
      controlAnswered: (reasonCode) => ifCurrent(() => controlAnswered(name, reasonCode)),
      frameAnswered: (id, reasonCode) => ifCurrent(() => answers.frame(name, id, reasonCode)),
      will: () => hub.will(name),
    };
    const connection = new PeerConnection(
      { endpoint, me: cluster, peer: name, prefix: controlPrefix, random: Math.random },
      events,
    );
    return connection;
  }

  #down(name: string, problem: SessionProblem): void {
    const { hub, answers, then } = this.#parts;
    const { code, reason } = answers.whyDown(name, problem);
    then((nowMs) => {
      hub.linkDown(name, problem.reason, nowMs);
      hub.link(name)?.problems.found(code, reason, nowMs);
    });
  }
}
