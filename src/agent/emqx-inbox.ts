/**
 * Where the actors of EMQX clusters are heard: EMQX dials the local broker and greets there, and we listen as one of its
 * clients. One session for all links: who has none here, or calls us by another name, must be told too.
 */

import type { ErrorCode } from "../base/error-codes.ts";
import type { LocalConfig } from "../config/types.ts";
import { decodeEmqxControl } from "../emqx/control.ts";
import { ROUTES_FILTER, speakerOf } from "../emqx/names.ts";
import type { ReplyTo } from "../emqx/registrar.ts";
import { EmqxStrangers } from "../emqx/strangers.ts";
import type { MessageAbout } from "../mqtt/session.ts";
import { MqttSession, type SessionProblem } from "../mqtt/session.ts";
import { emqxRoutesClientId } from "./emqx-sessions.ts";
import { zlibInflate } from "./zlib-inflate.ts";

const KEEP_ALIVE_SECONDS = 20;
/** An actor's words wait so long in the broker while our connection is away; after that they begin again. */
const SESSION_EXPIRY_SECONDS = 300;
/** The broker announces our subscription anew, so that it can be counted. */
const REFRESH_MS = 60_000;

export interface EmqxInboxEvents {
  /** A word of an actor of that cluster. Answers false when no link has this name. */
  control(from: string, bytes: Uint8Array, reply: ReplyTo): boolean;
  /** Words may have been missed. */
  lostTrack(): void;
  isDisabled(link: string): boolean;
  problem(code: ErrorCode, reason: string): void;
}

export class EmqxInbox {
  readonly #events: EmqxInboxEvents;
  readonly #session: MqttSession;
  readonly #strangers = new EmqxStrangers();
  readonly #nowMs: () => number;
  #refresh: NodeJS.Timeout | null = null;
  #wasConnected = false;

  constructor(local: LocalConfig, nowMs: () => number, events: EmqxInboxEvents) {
    this.#events = events;
    this.#nowMs = nowMs;
    this.#session = new MqttSession(
      {
        // Answers go by MQTT 5's response topic: there is no other way to ask.
        endpoint: { ...local, protocolVersion: 5 },
        clientId: emqxRoutesClientId(local.clientid),
        session: { cleanStart: "first", expirySeconds: SESSION_EXPIRY_SECONDS },
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        ackByPing: true,
        bridge: false,
        side: "local",
        random: Math.random,
        will: () => null,
      },
      {
        connected: ({ sessionPresent }) => this.#connected(sessionPresent),
        disconnected: (problem) => this.#disconnected(problem),
        message: (topic, payload, about) => this.#message(topic, payload, about),
      },
    );
  }

  start(): void {
    this.#session.start();
    this.#refresh ??= setInterval(() => this.refresh(), REFRESH_MS);
  }

  stop(graceMs: number): Promise<void> {
    if (this.#refresh !== null) clearInterval(this.#refresh);
    return this.#session.stop(graceMs);
  }

  refresh(): void {
    if (this.#session.connected) this.#session.subscribe([{ filter: ROUTES_FILTER, qos: 1 }], () => {});
  }

  answer(topic: string, correlation: Uint8Array, bytes: Uint8Array): void {
    this.#session.publish({
      topic,
      payload: bytes,
      qos: 1,
      retain: false,
      properties: { correlationData: correlation },
    });
  }

  #connected(sessionPresent: boolean): void {
    if (this.#wasConnected && !sessionPresent) this.#events.lostTrack();
    this.#wasConnected = true;
    this.#session.subscribe([{ filter: ROUTES_FILTER, qos: 1 }], (codes) => {
      const [code = 0x80] = codes ?? [0];
      if (code < 0x80) return;
      const reason = `SUBSCRIBE to ${ROUTES_FILTER} is refused with 0x${code.toString(16)}: no EMQX cluster can be heard`;
      this.#events.problem("CONTROL_DENIED", reason);
    });
  }

  #disconnected({ code, reason }: SessionProblem): void {
    // The other sessions say when the broker is away; what only this one meets nobody else would say.
    if (code === "LOCAL_REFUSED" || code === "LOCAL_SESSION_TAKEN")
      this.#events.problem(code, `the session that hears EMQX clusters: ${reason}`);
  }

  #message(topic: string, payload: Uint8Array, { retain, properties }: MessageAbout): void {
    const from = speakerOf(topic);
    // What a broker kept is not said now.
    if (from === null || retain) return;
    const reply: ReplyTo = {
      topic: properties?.responseTopic ?? null,
      correlation: properties?.correlationData ?? null,
    };
    if (this.#events.control(from, payload, reply)) return;
    const decoded = decodeEmqxControl(payload, zlibInflate);
    if (!decoded.ok) return;
    const isDisabled = this.#events.isDisabled(from);
    const answer = this.#strangers.answer(from, decoded.value, reply, isDisabled, this.#nowMs());
    if (answer === null) return;
    this.answer(answer.topic, answer.correlation, answer.bytes);
    if (answer.problem !== null) this.#events.problem(answer.problem.code, answer.problem.reason);
  }
}
