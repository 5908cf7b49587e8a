/**
 * The composition root: builds the hub, the local broker's sessions, the peers' connections and the HTTP listener from
 * one configuration, runs them in turns, and stops them in order. Decides nothing; logs what the hub reports.
 */
import type { AgentConfig } from "../config/types.ts";
import { Hub } from "../hub/hub.ts";
import type { Outlet } from "../hub/outlet.ts";
import type { AgentStatus } from "../ops/agent-status.ts";
import { clockMs } from "../ops/clock.ts";
import { LinkHistory } from "../ops/link-history.ts";
import type { Logger } from "../ops/log.ts";
import { Reloads } from "../ops/reloads.ts";
import type { AgentStore } from "./agent-store.ts";
import { CarrierAnswers } from "./carrier-answers.ts";
import { Carriers } from "./carriers.ts";
import { Certificates } from "./certificates.ts";
import { CountRefresh } from "./count-refresh.ts";
import { CurrentConfig } from "./current-config.ts";
import { hubOptions } from "./hub-options.ts";
import { unconfirmed, unpublished } from "./in-hand.ts";
import { localAdapter } from "./local-adapter.ts";
import { LocalBroker } from "./local-broker.ts";
import { LocalHealth } from "./local-health.ts";
import { PeerConnections } from "./peer-connections.ts";
import { Reconfiguration, type ReconfigureResult } from "./reconfiguration.ts";
import { Report } from "./report.ts";
import { type StoredReader, storedReader } from "./stored-reader.ts";
import { Turn } from "./turn.ts";
import { AGENT_VERSION } from "./version.ts";

/** How long a stop waits for what it has taken before it takes leave anyway. */
export const DRAIN_MS = 5_000;
const DRAIN_POLL_MS = 10;
const HELD_BACK_MS = 20;
const CLOSE_MS = 2_000;

export class Agent {
  /** That in force now: it changes with `reconfigure`. */
  readonly config: CurrentConfig;
  readonly hub: Hub;
  readonly history = new LinkHistory();
  readonly #log: Logger;
  readonly #report: Report;
  readonly #local: LocalBroker;
  readonly #connections: PeerConnections;
  readonly #reconfiguration: Reconfiguration;
  readonly #carriers: Carriers;
  readonly #turn: Turn;
  readonly #startedAtMs = clockMs();
  readonly reloads = new Reloads(clockMs());
  readonly #health: LocalHealth;
  #stopping = false;
  readonly #countRefresh = new CountRefresh();
  readonly #certificates = new Certificates();
  readonly #answers: CarrierAnswers;
  readonly #store: AgentStore | null;
  readonly #stored: StoredReader;

  /** `store`: of `config.dataDir`, open; null where there is none. */
  constructor(config: AgentConfig, log: Logger, store: AgentStore | null = null) {
    this.config = new CurrentConfig(config);
    this.#store = store;
    this.#log = log;
    this.#report = new Report(log, clockMs);
    const nowMs = clockMs();
    const { local } = this.config;
    const { cluster, controlPrefix } = config;
    this.#health = new LocalHealth(local.broker, this.#report);
    this.hub = new Hub(hubOptions(config, store, nowMs), this.#outlet(), nowMs);
    store?.connect({
      synced: (link) => {
        this.#reconfiguration.synced(link);
        this.#then((nowMs) => this.hub.spoolSynced(link, nowMs));
      },
      problem: (problem) => this.#report.disk(problem),
    });
    const { hub } = this;
    const then = (work: (nowMs: number) => void): void => this.#then(work);
    const answers = new CarrierAnswers(hub, then);
    this.#answers = answers;
    this.#connections = new PeerConnections({
      cluster,
      hub,
      answers,
      then,
      frame: (from, bytes, stayMs) => this.#frame(from, bytes, stayMs),
      controlAnswered: (name, reasonCode) => this.#controlAnswered(name, reasonCode),
      config: this.config,
      problem: (code, reason) => this.#report.hub({ type: "problem", link: null, code, reason }),
    });
    const connections = this.#connections;
    this.#carriers = new Carriers(cluster, () => this.#local, connections.all);
    this.#reconfiguration = new Reconfiguration({
      config: this.config,
      hub,
      store,
      connections,
      log,
      requestTurn: () => this.#turn.request(),
      forget: (link) => {
        this.#report.forget(link);
        answers.forget(link);
      },
    });
    this.#turn = new Turn(
      (atMs) => this.#run(atMs),
      () =>
        Math.min(
          this.hub.deadlineMs,
          this.#connections.emqx.deadlineMs,
          this.#local.deadlineMs,
          this.#countDeadlineMs(),
          this.#heldBackDeadlineMs(),
          store?.deadlineMs ?? Number.POSITIVE_INFINITY,
        ),
    );
    this.#local = new LocalBroker(
      {
        config: local,
        cluster,
        controlPrefix,
        random: Math.random,
        keepSeconds: store === null ? null : Math.ceil(config.spool.ageMaxMs / 1_000),
        adapter: (sink) => this.#health.of(localAdapter(this.config, sink)),
      },
      this.#localEvents(),
    );
    this.#stored = storedReader(this.config, (reading, answer) =>
      this.#data((atMs) => this.hub.stored(reading, answer, atMs)),
    );
    for (const link of config.links) if (link.enable) connections.add(link);
  }

  start(): void {
    this.#log.info(
      { version: AGENT_VERSION, broker: this.config.local.broker, links: this.config.links.map(({ name }) => name) },
      "agent started",
    );
    this.#local.start();
    for (const { name } of this.config.links) this.#connections.start(name);
    this.#turn.request();
  }

  /** Another configuration from now on, all of it or, with the reason, nothing. */
  reconfigure(next: AgentConfig): Promise<ReconfigureResult> {
    return this.#reconfiguration.apply(next);
  }

  /**
   * Takes nothing more, first of the peers, then of the local broker, finishes what it took, says goodbye and closes.
   * Resolves when all sockets are closed.
   */
  async stop(drainMs: number): Promise<void> {
    const endMs = clockMs() + drainMs;
    this.#stopping = true;
    await this.#reconfiguration.end();
    await this.#drained(endMs, () => unpublished(this.hub) === 0);
    if (this.#store !== null) {
      // What the broker sends from here on it keeps for the next life; what was taken is acknowledged as far as it may be.
      this.#local.pauseTaking();
      await this.#drained(endMs, () => this.#store?.isKept !== false);
    }
    await this.#local.stopTaking(Math.max(0, endMs - clockMs()));
    const { links } = this.config;
    await this.#drained(endMs, () => unconfirmed(this.hub, links, ["memory", "end_to_end"]) === 0);
    const left = unconfirmed(this.hub, links, ["memory"]) + this.#reconfiguration.parkedInMemory;
    if (left > 0)
      this.#log.warn({ messages: left }, "stopped with messages in memory that no peer confirmed: they are lost");
    // The last confirmations leave before the goodbye.
    this.#run(clockMs());
    this.hub.goodbye("pause", clockMs());
    this.#turn.stop();
    await this.#stored.stop();
    await Promise.all([this.#connections.stop(CLOSE_MS), this.#local.stop(CLOSE_MS)]);
    await this.#store?.close();
    this.#log.info("agent stopped");
  }

  /** Ready: the local broker is connected on all three sessions, no other agent speaks in our name, and no stop was asked for. */
  get ready(): boolean {
    return this.#health.isConnected && !this.#stopping && !this.hub.identity.isDuplicate(clockMs());
  }

  status(): AgentStatus {
    return {
      version: AGENT_VERSION,
      startedAtMs: this.#startedAtMs,
      stopping: this.#stopping,
      ...this.#health.status,
      sessionCounters: this.#local.counters,
      peerCounters: this.#connections.counters,
      problems: this.#report.problems(),
      certificates: this.#certificates.list(this.config, this.#carriers),
      store: this.#store?.status ?? null,
      reloads: this.reloads.status,
      removedLinksMessages: this.#reconfiguration.givenUp,
      hub: this.hub.status(clockMs()),
    };
  }

  #run(nowMs: number): void {
    this.#local.tick(nowMs);
    this.#connections.emqx.run(nowMs);
    this.hub.tick(nowMs);
    if (nowMs >= this.#countDeadlineMs()) {
      this.#countRefresh.asked(nowMs);
      // What was announced may have met the next doubt: again, until a count proves it.
      if (this.hub.interest.wide !== null) this.#announceOwn();
      this.#local.refreshCount(nowMs);
    }
    this.#store?.incarnation(this.hub.identity.incarnation);
    this.hub.flush(nowMs);
    this.#store?.flush(nowMs, () => this.hub.saved());
  }

  #announceOwn(): void {
    this.#local.announceOwn();
    this.#connections.emqx.announceOwn();
  }

  /** What a slow connection holds back is looked at again soon: no event says that it took its bytes. */
  #heldBackDeadlineMs(): number {
    for (const { outbound } of this.hub.links()) if (outbound.isHeldBack) return clockMs() + HELD_BACK_MS;
    return Number.POSITIVE_INFINITY;
  }

  #countDeadlineMs(): number {
    return this.#countRefresh.deadlineMs(this.hub.interest.wantsFreshCount && this.#health.isUp("events"));
  }

  async #drained(endMs: number, isDrained: () => boolean): Promise<void> {
    while (clockMs() < endMs && !(this.#turn.idle && isDrained())) {
      this.#turn.request();
      await new Promise((resume) => setTimeout(resume, DRAIN_POLL_MS));
    }
  }

  #outlet(): Outlet {
    return {
      subscribe: (batch, filters) => {
        this.#store?.written();
        this.#local.subscribe(filters, (codes) => this.#data((nowMs) => this.hub.subscribed(batch, codes, nowMs)));
      },
      unsubscribe: (batch, filters) => {
        this.#store?.written();
        this.#local.unsubscribe(filters, (codes) => this.#data((nowMs) => this.hub.unsubscribed(batch, codes, nowMs)));
      },
      sendMarker: (marker) => this.#local.sendMarker(marker),
      acknowledge: (ack, reasonCode) => this.#local.acknowledge(ack, reasonCode),
      save: (key, value) => this.#store?.save(key, value),
      republish: (token, message) =>
        this.#local.republish(
          message,
          token === null ? null : (reasonCode) => this.#then((nowMs) => this.hub.republished(token, reasonCode, nowMs)),
        ),
      readStored: (reading, filters) => this.#stored.read(reading, filters),
      sendControl: (link, bytes) => {
        this.#store?.written();
        this.#carriers.control(link, bytes);
      },
      peerGreeted: (link) => this.#connections.all.get(link)?.refreshInbox(),
      answerStranger: (to, as, bytes) => this.#local.sendControl(to, as, bytes),
      sendFrame: (link, frame, bytes, confirm) => this.#carriers.frame(link, frame, bytes, confirm),
      congested: (link) => this.#carriers.isCongested(link),
      report: (event) => {
        this.#report.hub(event);
        this.history.note(event, clockMs());
        if (event.type === "interest" && event.to !== "exact") this.#announceOwn();
        // Perhaps it speaks, and the local broker does not pass it on to us (any more).
        if (event.type === "link_state" && event.half === "in" && event.to === "silent") this.#local.doubtControl();
      },
    };
  }

  /** While stopping, what a peer sends stays with it: nobody confirms it. */
  #frame(from: string, bytes: Uint8Array, stayMs: number): void {
    if (!this.#stopping) this.#then((nowMs) => this.hub.frame(from, bytes, stayMs, nowMs));
  }

  #controlAnswered(name: string, reasonCode: number): void {
    // Taking leave of a peer that is not there tells nobody anything.
    if (!this.#stopping) this.#answers.control(name, reasonCode);
  }

  #localEvents(): ConstructorParameters<typeof LocalBroker>[1] {
    return {
      event: (event) => {
        if (event.type === "events_enabled" && event.enabled) this.#health.announces();
        this.#then((nowMs) => {
          if (event.type === "count") this.#countRefresh.counted(nowMs);
          else if (event.type === "subscribed") this.#connections.emqx.subscribed(event.client, event.filter);
          this.hub.interestEvent(event, nowMs);
        });
      },
      apiProblem: (problem) => this.#report.brokerApi(problem),
      wake: () => this.#turn.request(),
      odd: (kind, line) => this.#health.odd(kind, line),
      advise: (text) => this.#health.advise(text),
      brokerDropped: (total, live) => {
        this.#health.dropped(total, live);
        this.#then((nowMs) => this.hub.brokerDropped(total, live, nowMs));
      },
      session: (name, up, problem) => this.#health.session(name, up, problem),
      linkUp: (packetBytesMax) => this.#connections.localUp(packetBytesMax),
      linkDown: (problem) => this.#connections.localDown(problem),
      control: (to, from, bytes) => this.#then((nowMs) => this.hub.control(to, from, bytes, nowMs)),
      frame: (from, bytes, stayMs) => this.#frame(from, bytes, stayMs),
      dataUp: (sessionPresent, properties, echoing) =>
        this.#data((nowMs) => this.hub.dataUp(sessionPresent, properties, echoing, nowMs)),
      dataDown: () => this.#data(() => this.hub.dataDown()),
      message: (message) => this.#data((nowMs) => this.hub.localMessage(message, nowMs)),
      marker: (marker) => this.#data((nowMs) => this.hub.markerArrived(marker, nowMs)),
      controlDenied: (topic, why) => this.#health.controlIsDenied(topic, why),
      controlWorks: () => this.#health.controlWorks(),
      linkAnswered: (peer, frame, reasonCode) =>
        frame === null ? this.#controlAnswered(peer, reasonCode) : this.#answers.frame(peer, frame, reasonCode),
    };
  }

  #then(work: (nowMs: number) => void): void {
    work(clockMs());
    this.#turn.request();
  }

  /** What the data session says has its place among its messages, and behind the events that were caused before. */
  #data(work: (nowMs: number) => void): void {
    this.#turn.afterEvents(work);
  }
}
