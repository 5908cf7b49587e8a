/**
 * The whole agent without its sockets: what local clients want, what peers want, and the messages between them. Pure.
 *
 * Inputs are method calls with the time; what has to happen goes to the Outlet. In each turn the owner hands in events
 * and control bytes first, then messages, then calls flush(): so a frame always names the route operations that were
 * caused before it.
 */
import { DropBrake } from "../flow/drop-brake.ts";
import { Identity } from "../link/identity.ts";
import { Demand } from "../route/demand.ts";
import { Interest, type InterestChange } from "../route/interest.ts";
import type { InterestEvent, WideReason } from "../route/interest-event.ts";
import { RouteTable } from "../route/route-table.ts";
import { encodeControl } from "../wire/control.ts";
import { underPrefix } from "../wire/names.ts";
import { HubLink } from "./hub-link.ts";
import type { HubOptions } from "./hub-options.ts";
import { LinkChanges } from "./link-changes.ts";
import { demandLimits, type HostedLink, type LinkHost } from "./link-host.ts";
import { linkStatus } from "./link-status.ts";
import type { LocalMessage } from "./local-message.ts";
import { LocalRouting } from "./local-routing.ts";
import { LocalSubscriptions } from "./local-subscriptions.ts";
import type { Outlet } from "./outlet.ts";
import { savedHub } from "./saved-hub.ts";
import { saveRowChanges } from "./saved-rows.ts";
import type { HubState, Save, SavedEntry } from "./saved-state.ts";
import type { HubStatus } from "./status.ts";
import { type StoredAnswer, StoredReadings } from "./stored.ts";
import { Strangers } from "./strangers.ts";

export type { LocalMessage } from "./local-message.ts";

export class Hub {
  readonly interest: Interest;
  readonly demand: Demand;
  readonly table = new RouteTable();
  readonly identity: Identity;
  readonly #options: HubOptions;
  readonly #outlet: Outlet;
  readonly #save: Save;
  readonly #links = new Map<string, HubLink>();
  readonly #tokens = new Map<number, HostedLink>();
  /** Links that come, go and change while the agent runs. */
  readonly changes: LinkChanges;
  readonly #local: LocalRouting;
  readonly #subscriptions: LocalSubscriptions;
  readonly #brake = new DropBrake();
  readonly #readings = new StoredReadings();
  #token = 0;
  #hasProperties = false;
  #dataUp = false;
  #wide: WideReason | "exact";
  readonly #strangers: Strangers;

  constructor(options: HubOptions, outlet: Outlet, nowMs: number) {
    this.#options = options;
    this.#outlet = outlet;
    this.#save = (key, value) => outlet.save(key, value);
    this.identity = new Identity(options.instance, options.incarnation);
    this.interest = new Interest(options.interest, nowMs);
    this.demand = new Demand({ filtersMaxPerPeer: options.demandMax, filtersMaxOf: demandLimits(options.links) });
    this.#wide = this.interest.wide?.reason ?? "exact";
    const disabled = new Set(options.disabledLinks.map(({ name }) => name));
    this.#strangers = new Strangers({ cluster: options.cluster, disabledLinks: disabled }, this.identity, outlet);
    const acknowledge = (ack: number): void => outlet.acknowledge(ack, 0);
    const { controlPrefix, restored = null } = options;
    const isRestart = restored !== null;
    this.#local = new LocalRouting(
      { controlPrefix, demand: this.demand, table: this.table, links: this.#links, acknowledge, isRestart },
      nowMs,
    );
    this.#subscriptions = new LocalSubscriptions(this.demand, outlet, this.#save, this.#links);
    const host = this.#host();
    const { demand, interest } = this;
    const [links, tokens, isDataUp] = [this.#links, this.#tokens, () => this.#dataUp];
    this.changes = new LinkChanges({
      links,
      disabled,
      tokens,
      host,
      demand,
      interest,
      isDataUp,
      restored: restored?.links ?? null,
    });
    for (const link of options.links) {
      const hubLink = new HubLink(link, host, nowMs);
      this.#links.set(link.name, hubLink);
      if (this.#wide !== "exact") hubLink.setWide(true, nowMs);
    }
    if (restored !== null) this.#restore(restored, nowMs);
  }

  get deadlineMs(): number {
    let deadlineMs = Math.min(
      this.interest.deadlineMs,
      this.#subscriptions.deadlineMs,
      this.#local.deadlineMs,
      this.#brake.deadlineMs,
    );
    for (const link of this.#links.values()) deadlineMs = Math.min(deadlineMs, link.deadlineMs);
    return deadlineMs;
  }

  link(name: string): HubLink | undefined {
    return this.#links.get(name);
  }

  links(): Iterable<HubLink> {
    return this.#links.values();
  }

  // ── what local clients want ──────────────────────────────────────────────────────────────────────

  interestEvent(event: InterestEvent, nowMs: number): void {
    this.#interestChanged(this.interest.apply(event, nowMs), nowMs);
    if (event.type === "gap" || event.type === "broker_restarted") this.#subscriptions.wantAgain(nowMs);
  }

  #interestChanged(change: InterestChange, nowMs: number): void {
    const now = this.interest.wide?.reason ?? "exact";
    for (const link of this.#links.values()) {
      link.interest(change.edges);
      if (change.wide) link.setWide(now !== "exact", nowMs);
    }
    if (now !== this.#wide) {
      this.#outlet.report({ type: "interest", from: this.#wide, to: now });
      this.#wide = now;
      // Our own rows must be seen anew like everybody's: subscribing again makes the broker say so.
      if (now !== "exact") this.#subscriptions.wantAgain(nowMs);
    }
  }

  // ── the local data session ───────────────────────────────────────────────────────────────────────

  /** The data session is connected. `properties`: the broker speaks MQTT 5; `echoing`: it sends us our own messages. */
  dataUp(sessionPresent: boolean, properties: boolean, echoing: boolean, nowMs: number): void {
    this.#dataUp = true;
    this.#local.connected(sessionPresent, echoing);
    this.#hasProperties = properties;
    this.demand.connected(sessionPresent, properties, nowMs);
    for (const link of this.#links.values()) link.localUp(properties, nowMs);
  }

  dataDown(): void {
    this.#dataUp = false;
    this.#local.disconnected();
    this.demand.disconnected();
    this.#tokens.clear();
    this.#readings.connectionLost();
    for (const link of this.#links.values()) link.localDown();
  }

  subscribed(batch: number, codes: readonly number[], nowMs: number): void {
    this.demand.subscribed(batch, codes, nowMs);
  }

  unsubscribed(batch: number, codes: readonly number[], nowMs: number): void {
    this.demand.unsubscribed(batch, codes, nowMs);
  }

  markerArrived(marker: number, nowMs: number): void {
    if (!this.#readings.passed(marker, nowMs)) this.demand.markerArrived(marker, nowMs);
  }

  /** The local broker's answer to a republish: its reason code, or null when the connection was lost first. */
  republished(token: number, reasonCode: number | null, nowMs: number): void {
    const link = this.#tokens.get(token);
    this.#tokens.delete(token);
    link?.inbound.republished(token, reasonCode, nowMs);
  }

  /** What `Outlet.readStored` asked for. */
  stored(reading: number, answer: StoredAnswer, nowMs: number): void {
    this.#readings.answered(reading, answer, nowMs);
  }

  /** The local broker's counter of what it dropped for its clients; `live`: said now, not kept from before. */
  brokerDropped(total: number, live: boolean, nowMs: number): void {
    let [republished, draining] = [0, false];
    for (const link of this.#links.values()) {
      republished += link.counters.republished;
      draining ||= link.backlog.goesIn(nowMs);
    }
    this.#brake.counted(total, live, republished, draining, nowMs);
  }

  /** A message of a local client, on its way to whoever wants it on the other sides. */
  localMessage(local: LocalMessage, nowMs: number): void {
    this.#local.received(local, nowMs);
  }

  /** More of a link's log is on the disk than before. */
  spoolSynced(link: string, nowMs: number): void {
    this.#links.get(link)?.outbound.synced(nowMs);
  }

  // ── the peers ────────────────────────────────────────────────────────────────────────────────────

  linkUp(name: string, packetBytesMax: number, nowMs: number): void {
    this.#links.get(name)?.transportUp(packetBytesMax, nowMs);
  }

  linkDown(name: string, why: string, nowMs: number): void {
    this.#links.get(name)?.transportDown(why, nowMs);
  }

  /** Bytes of a control topic, `to` and `from` as the topic names them. */
  control(to: string, from: string, bytes: Uint8Array, nowMs: number): void {
    const link = to === this.#options.cluster ? this.#links.get(from) : undefined;
    if (link !== undefined) link.control(bytes, nowMs);
    else if (from !== this.#options.cluster) {
      this.#local.count("stranger");
      this.#strangers.control(to, from, bytes, nowMs);
    }
  }

  frame(from: string, bytes: Uint8Array, stayMs: number, nowMs: number): void {
    const link = this.#links.get(from);
    if (link === undefined) this.#local.count("frame_of_stranger");
    else link.frame(bytes, stayMs, nowMs);
  }

  frameRefused(name: string, frame: number, reasonCode: number): void {
    this.#links.get(name)?.outbound.refused(frame, reasonCode);
  }

  /** What to leave as the Will of the link's next connection. */
  will(name: string): Uint8Array | null {
    const link = this.#links.get(name);
    if (link === undefined) return null;
    return encodeControl({ speaker: this.identity.speaker(), body: link.conversation.announcer.nextWill() });
  }

  // ── turns ────────────────────────────────────────────────────────────────────────────────────────

  tick(nowMs: number): void {
    if (nowMs >= this.interest.deadlineMs) this.#interestChanged(this.interest.tick(nowMs), nowMs);
    this.#brake.tick(nowMs);
    this.#subscriptions.tick(nowMs);
    for (const link of this.#links.values()) if (nowMs >= link.deadlineMs) link.tick(nowMs);
  }

  /** The end of a turn: subscriptions, settlements, republishes and frames leave. */
  flush(nowMs: number): void {
    this.#subscriptions.flush(this.#dataUp, nowMs);
    saveRowChanges(this.#save, this.interest.takeRowChanges());
    this.#subscriptions.tellRefusals();
    this.#local.flush(nowMs);
    for (const link of this.#links.values()) link.flush(nowMs);
  }

  /** Takes leave of all peers: `pause` when the agent will be back. */
  goodbye(kind: "pause" | "leave", nowMs: number): void {
    for (const link of this.#links.values()) link.perform(link.conversation.goodbye(kind), nowMs);
  }

  /** Everything that has to outlive the process; see `saved-hub.ts` about what may change while it is walked through. */
  saved(): Iterable<SavedEntry> {
    const { changes, demand, interest } = this;
    return savedHub({ links: this.#links, changes, memory: demand.memory, rows: interest.rows() });
  }

  status(nowMs: number): HubStatus {
    return {
      cluster: this.#options.cluster,
      incarnation: this.identity.incarnation,
      instance: this.identity.instance,
      duplicate: this.identity.isDuplicate(nowMs),
      wide: this.interest.wide,
      interest: this.interest.stats,
      demand: this.demand.stats,
      local: this.#local.counts,
      links: [...this.#links.values()].map(linkStatus),
    };
  }

  /** The local broker's queue is delivered before any peer has spoken. */
  #restore(state: HubState, nowMs: number): void {
    this.demand.restore(state.demand);
    this.#interestChanged(this.interest.restore(state.rows, nowMs), nowMs);
    for (const link of this.#links.values()) {
      const saved = state.links.get(link.name);
      if (saved !== undefined) link.restore(saved, nowMs);
    }
    this.demand.restored();
  }

  #host(): LinkHost {
    const hub = this;
    return {
      cluster: this.#options.cluster,
      agentVersion: this.#options.agentVersion,
      identity: this.identity,
      outlet: this.#outlet,
      acks: this.#local.ledger,
      brake: this.#brake,
      get considered() {
        return hub.#local.considered;
      },
      republish: (token, message, nowMs) => {
        hub.#local.republishes(message, nowMs);
        hub.#outlet.republish(token, message);
      },
      get localHasProperties() {
        return hub.#hasProperties;
      },
      isControl: (topic) => underPrefix(hub.#options.controlPrefix, topic),
      nextToken: (link) => {
        hub.#token += 1;
        hub.#tokens.set(hub.#token, link);
        return hub.#token;
      },
      peerRoute: (link, filter, up) => {
        if (up) {
          hub.table.set(link.name, filter);
          hub.demand.want(link.name, filter);
        } else {
          hub.table.delete(link.name, filter);
          hub.demand.unwant(link.name, filter);
        }
      },
      readStored: (filters, done) => hub.#outlet.readStored(hub.#readings.begin(done), filters),
      fence: (done) => hub.#outlet.sendMarker(hub.#readings.fence(done)),
      settle: (token, nowMs) => hub.republished(token, 0x00, nowMs),
      peerListens: (link) => hub.demand.repeatRefusals(link.name),
      get demandRevision() {
        return hub.demand.revision;
      },
      get demandSettledRevision() {
        return hub.demand.settledRevision;
      },
      identityChanged: (nowMs) => {
        for (const link of hub.#links.values()) link.perform(link.conversation.identityChanged(nowMs), nowMs);
      },
      randomHex16: this.#options.randomHex16,
      save: this.#save,
    };
  }
}
