/**
 * One agent of the simulation: the real Hub, with the simulated broker and network where the shells would be. It does
 * what src/agent does, in virtual time: events and control bytes as they come, messages and what leaves at turn's end.
 */
import { Hub, type LocalMessage } from "../../src/hub/hub.ts";
import type { HubEvent } from "../../src/hub/hub-event.ts";
import type { HubOptions } from "../../src/hub/hub-options.ts";
import type { Outlet } from "../../src/hub/outlet.ts";
import type { Republish } from "../../src/hub/republish.ts";
import type { Prng } from "./prng.ts";
import type { ClusterShape, WorldShape } from "./shape.ts";
import type { SimBroker } from "./sim-broker.ts";
import { idOf } from "./sim-clients.ts";
import type { SimDisk, SimDiskLog } from "./sim-disk.ts";
import { SimLinks } from "./sim-links.ts";
import { type LocalOwner, SimLocal } from "./sim-local.ts";
import type { SimNetwork, SimPeer } from "./sim-network.ts";
import type { Timeline } from "./timeline.ts";

const COUNT_REFRESH_MS = 5_000;
/** The disk takes up to one of these times: a lone one, and one that others wear out. */
const SYNC_MS: readonly number[] = [5, 50, 1_000, 3_000];

export class SimAgent implements SimPeer, LocalOwner {
  readonly cluster: string;
  hub: Hub | null = null;
  /** Sessions of the current life. */
  local: SimLocal | null = null;
  /** Whether the agent listens on its own broker. */
  linkUp = false;
  /** The wall clock against the world's time; it gives the next life its incarnation, and nothing else. */
  clockOffsetMs = 0;
  /** Hears everything the agent reports, at once. */
  onReport: (event: HubEvent) => void = () => {};
  /** Sees every message that this agent publishes on its broker. */
  onRepublish: (message: Republish) => void = () => {};
  /** Sees every message of a local client when the agent takes it in hand. */
  onLocal: (message: LocalMessage) => void = () => {};
  /** Called once, when the next frame has come in. */
  onFrame: (() => void) | null = null;
  /** Called once, when the agent has handed the next message to its connection to the local broker. */
  onHandedOver: (() => void) | null = null;
  /** Calls of the outlet until the process dies in the middle of a turn; null: it lives. */
  dieAfterCalls: number | null = null;
  /** Called when it has died so. */
  onDeath: () => void = () => {};
  readonly disk: SimDisk | null;
  readonly links: SimLinks;
  /** Messages of peers that the broker was given, and that may not be recorded yet. */
  readonly unsettled = new Set<string>();
  readonly #shape: ClusterShape;
  readonly #world: WorldShape;
  readonly #time: Timeline;
  readonly #random: Prng;
  readonly #broker: SimBroker;
  readonly #network: SimNetwork;
  #messages: LocalMessage[] = [];
  #turnDue = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #refreshAtMs = 0;
  #syncMs = 0;
  /** Logs that are being synced: one sync of each is under way at a time, or each turn of a slow disk would make more turns. */
  readonly #syncing = new Set<SimDiskLog>();
  /** What reached a frozen process; null: it runs. */
  #frozen: ((hub: Hub, nowMs: number) => void)[] | null = null;

  constructor(
    shape: ClusterShape,
    world: WorldShape,
    time: Timeline,
    random: Prng,
    broker: SimBroker,
    network: SimNetwork,
    disk: SimDisk | null,
  ) {
    this.cluster = shape.name;
    this.disk = disk;
    this.links = new SimLinks(shape, world, disk, () => random.hex16(), network.codec);
    this.#shape = shape;
    this.#world = world;
    this.#time = time;
    this.#random = random;
    this.#broker = broker;
    this.#network = network;
  }

  get running(): boolean {
    return this.hub !== null;
  }

  get peers(): string[] {
    return this.#world.clusters.map(({ name }) => name).filter((name) => name !== this.cluster);
  }

  start(): void {
    this.#messages = [];
    this.#frozen = null;
    this.links.restart();
    this.dieAfterCalls = null;
    this.unsettled.clear();
    this.#syncing.clear();
    this.#syncMs = this.#random.pick(SYNC_MS);
    const { localDelayMs } = this.#shape;
    const resumes = this.disk !== null;
    this.local = new SimLocal(this.cluster, localDelayMs, this.#time, this.#random, this.#broker, this, resumes);
    this.hub = new Hub(this.#options(), this.#outlet(this.local), this.#now());
    this.local.start();
    this.#turn();
  }

  /** kill -9: nothing is said, nothing is kept. */
  kill(): void {
    this.hub = null;
    this.linkUp = false;
    this.onFrame = null;
    this.onHandedOver = null;
    this.local?.stop();
    this.local = null;
    this.disk?.crash();
  }

  /** Takes leave, then ends. */
  pause(kind: "pause" | "leave"): void {
    this.hub?.goodbye(kind, this.#now());
    this.kill();
  }

  /** SIGSTOP: what arrives waits in its sockets. */
  freeze(forMs: number): void {
    if (this.#frozen !== null || this.hub === null) return;
    const frozen: ((hub: Hub, nowMs: number) => void)[] = [];
    this.#frozen = frozen;
    this.#time.after(forMs, () => {
      if (this.#frozen === frozen) this.thaw();
    });
  }

  get isFrozen(): boolean {
    return this.#frozen !== null;
  }

  thaw(): void {
    const works = this.#frozen;
    this.#frozen = null;
    if (works === null || this.hub === null) return;
    // Timers come before sockets.
    this.hub.tick(this.#now());
    for (const work of works) work(this.hub, this.#now());
    this.#turn();
  }

  /** Our connection to the peer's broker is up; answers the Will left there. */
  dialled(peer: string, packetBytesMax: number): Uint8Array | null {
    const will = this.hub?.will(peer) ?? null;
    this.into((hub, nowMs) => hub.linkUp(peer, packetBytesMax, nowMs));
    return will;
  }

  linkDown(peer: string): void {
    this.into((hub, nowMs) => hub.linkDown(peer, "cut", nowMs));
  }

  control(from: string, bytes: Uint8Array): void {
    this.into((hub, nowMs) => hub.control(this.cluster, from, bytes, nowMs));
  }

  frame(from: string, bytes: Uint8Array): void {
    this.into((hub, nowMs) => hub.frame(from, bytes, 0, nowMs));
    const { onFrame } = this;
    this.onFrame = null;
    onFrame?.();
  }

  frameRefused(peer: string, frame: number): void {
    this.into((hub) => hub.frameRefused(peer, frame, 0x95));
  }

  // ── LocalOwner ───────────────────────────────────────────────────────────────────────────────────

  into(work: (hub: Hub, nowMs: number) => void): void {
    if (this.hub === null) return;
    if (this.#frozen !== null) {
      this.#frozen.push(work);
      return;
    }
    work(this.hub, this.#now());
    this.#turn();
  }

  message(message: LocalMessage): void {
    this.#messages.push(message);
  }

  drain(hub: Hub, nowMs: number): void {
    const messages = this.#messages;
    this.#messages = [];
    for (const message of messages) {
      this.onLocal(message);
      hub.localMessage(message, nowMs);
    }
  }

  /** Peers that dial in are spoken to on our own broker. */
  linkSession(up: boolean): void {
    if (this.linkUp === up) return;
    this.linkUp = up;
    for (const peer of this.peers) {
      if (this.#world.link(this.cluster, peer).dials) continue;
      if (up) this.into((hub, nowMs) => hub.linkUp(peer, this.#shape.packetBytesMax, nowMs));
      else this.linkDown(peer);
    }
  }

  // ── turns ────────────────────────────────────────────────────────────────────────────────────────

  #now(): number {
    return Math.floor(this.#time.nowMs);
  }

  #turn(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    this.#time.after(0, () => {
      this.#turnDue = false;
      const { hub } = this;
      if (hub === null || this.#frozen !== null) return;
      const nowMs = this.#now();
      hub.tick(nowMs);
      this.drain(hub, nowMs);
      if (hub.interest.wantsFreshCount && nowMs >= this.#refreshAtMs) {
        this.#refreshAtMs = nowMs + COUNT_REFRESH_MS;
        this.#broker.touchCount();
      }
      hub.flush(nowMs);
      this.#sync(hub);
      this.#settledTurn(hub);
      this.#wake(hub);
    });
  }

  /** The end of a turn: what the spools took goes to the disk, which takes its time. */
  #sync(hub: Hub): void {
    if (!this.#isDying) this.disk?.write();
    for (const [peer, log] of this.disk?.logs() ?? []) {
      if (log.isSynced || this.#isDying || this.#syncing.has(log)) continue;
      const { base, lastNumber } = log;
      this.#syncing.add(log);
      this.#time.after(this.#random.next() * this.#syncMs, () => {
        if (this.hub !== hub) return;
        this.#syncing.delete(log);
        log.synced(base, lastNumber);
        this.links.synced(peer);
        this.into((awake, nowMs) => awake.spoolSynced(peer, nowMs));
      });
    }
  }

  /** Nothing is between republish and record. */
  #settledTurn(hub: Hub): void {
    if (this.#isDying || this.unsettled.size === 0) return;
    for (const { inbound } of hub.links()) if (inbound.inflight + inbound.pending > 0) return;
    this.unsettled.clear();
  }

  get #isDying(): boolean {
    return this.dieAfterCalls !== null && this.dieAfterCalls <= 0;
  }

  /** Something is about to leave: what it tells of is written before. Answers false when the process is dead by now. */
  #leaves(): boolean {
    if (this.#isDying) return false;
    this.disk?.write();
    if (this.dieAfterCalls === null) return true;
    this.dieAfterCalls -= 1;
    if (this.dieAfterCalls === 0) this.#time.after(0, () => this.onDeath());
    return true;
  }

  #wake(hub: Hub): void {
    const atMs = hub.deadlineMs;
    if (atMs === Number.POSITIVE_INFINITY || (atMs >= this.#wakeAtMs && this.#wakeAtMs > this.#time.nowMs)) return;
    this.#wakeAtMs = atMs;
    this.#time.after(Math.max(1, atMs - this.#time.nowMs), () => {
      if (this.#wakeAtMs === atMs) this.#wakeAtMs = Number.POSITIVE_INFINITY;
      if (this.hub !== null) this.#turn();
    });
  }

  #outlet(local: SimLocal): Outlet {
    const leave = (act: () => void): void => {
      if (this.#leaves()) act();
    };
    return {
      subscribe: (batch, filters) => leave(() => local.subscribe(batch, filters)),
      unsubscribe: (batch, filters) => leave(() => local.unsubscribe(batch, filters)),
      sendMarker: (marker) => leave(() => local.sendMarker(marker)),
      acknowledge: (ack) => leave(() => local.acknowledge(ack)),
      save: (key, value) => {
        if (!this.#isDying) this.disk?.save(key, value);
      },
      republish: (token, message) =>
        leave(() => {
          this.unsettled.add(idOf(message));
          local.republish(token, message, () => this.onRepublish(message));
          const { onHandedOver } = this;
          this.onHandedOver = null;
          onHandedOver?.();
        }),
      readStored: (reading) =>
        this.#time.after(0, () =>
          this.into((hub, nowMs) => hub.stored(reading, { outcome: "whole", messages: [] }, nowMs)),
        ),
      sendControl: (link, bytes) => leave(() => this.#network.control(this.cluster, link, bytes)),
      answerStranger: () => {},
      peerGreeted: () => {},
      congested: () => false,
      sendFrame: (link, frame, bytes, confirm) =>
        leave(() => this.#network.frame(this.cluster, link, frame, bytes, confirm)),
      report: (event) => this.onReport(event),
    };
  }

  #options(): HubOptions {
    const { cluster } = this;
    return {
      cluster,
      agentVersion: "sim",
      controlPrefix: "$LINK",
      incarnation: Math.floor(this.#time.nowMs + this.clockOffsetMs),
      instance: this.#random.hex16(),
      randomHex16: () => this.#random.hex16(),
      demandMax: 50_000,
      interest: {
        ownClients: new Set([`${cluster}-data`, `${cluster}-events`]),
        ignoreClients: [],
        untrackedSubscriptions: this.#shape.untracked,
        atStart: "unknown",
        trustAfterMs: null,
        controlPrefix: "$LINK",
        rowsMax: 100_000,
      },
      links: this.peers.map((name) => this.links.options(name)),
      disabledLinks: [],
      restored: this.disk?.restored() ?? null,
    };
  }
}
