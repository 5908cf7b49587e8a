/**
 * Clusters that speak to us without a link here, or by another name: they are told so, or their operator would search for
 * ever. Answers a hello with the reason, and what only a peer sends with the wish for a hello: a link that was removed or
 * disabled here is still believed in over there. All strangers together get at most one answer of each kind a second.
 */
import type { ErrorCode } from "../base/error-codes.ts";
import type { Identity } from "../link/identity.ts";
import { decodeControl, encodeControl } from "../wire/control.ts";
import { WIRE_VERSION } from "../wire/envelope.ts";
import { FRAME_BYTES_MAX } from "../wire/frame.ts";
import type { AckResult, ControlBody, Speaker } from "../wire/message.ts";
import type { Outlet } from "./outlet.ts";

const ANSWER_MS = 1_000;
/** Never sent to a stranger, so that two who are strangers to each other do not answer for ever. */
const PEERS_ONLY: ReadonlySet<ControlBody["type"]> = new Set(["bootstrap", "bootstrap_end", "routes", "heartbeat"]);

interface Answer {
  readonly result: AckResult;
  /** Null: nothing an operator of this side has to know. */
  readonly problem: { readonly code: ErrorCode; readonly reason: string } | null;
}

export class Strangers {
  readonly #names: { readonly cluster: string; readonly disabledLinks: ReadonlySet<string> };
  readonly #identity: Identity;
  readonly #outlet: Outlet;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #lastAskMs = Number.NEGATIVE_INFINITY;

  constructor(
    names: { readonly cluster: string; readonly disabledLinks: ReadonlySet<string> },
    identity: Identity,
    outlet: Outlet,
  ) {
    this.#names = names;
    this.#identity = identity;
    this.#outlet = outlet;
  }

  /** `to`: the name it uses for us. */
  control(to: string, from: string, bytes: Uint8Array, nowMs: number): void {
    const decoded = decodeControl(bytes);
    if (!decoded.ok) return;
    const { speaker, body } = decoded.value;
    if (PEERS_ONLY.has(body.type)) this.#askForHello(to, from, speaker, nowMs);
    if (body.type !== "hello" || nowMs - this.#lastAnswerMs < ANSWER_MS) return;
    this.#lastAnswerMs = nowMs;
    const { result, problem } = this.#answer(to, from);
    const answer = encodeControl({
      speaker: this.#identity.speaker(),
      body: {
        type: "ack",
        greeting: body.greeting,
        of: speaker,
        name: this.#names.cluster,
        result,
        highest: 0,
        have: null,
        protocolMin: WIRE_VERSION,
        protocolMax: WIRE_VERSION,
        frameBytesMax: FRAME_BYTES_MAX,
      },
    });
    this.#outlet.answerStranger(from, to, answer);
    if (problem !== null) this.#outlet.report({ type: "problem", link: null, ...problem });
  }

  #askForHello(to: string, from: string, speaker: Speaker, nowMs: number): void {
    if (nowMs - this.#lastAskMs < ANSWER_MS) return;
    this.#lastAskMs = nowMs;
    const body: ControlBody = { type: "again", of: speaker, what: "hello", reason: "unknown_incarnation" };
    this.#outlet.answerStranger(from, to, encodeControl({ speaker: this.#identity.speaker(), body }));
  }

  #answer(to: string, from: string): Answer {
    const { cluster, disabledLinks } = this.#names;
    if (to !== cluster) {
      const reason = `cluster "${from}" calls this cluster "${to}"`;
      return { result: "wrong_name", problem: { code: "WRONG_NAME", reason } };
    }
    if (disabledLinks.has(from)) return { result: "link_disabled", problem: null };
    const reason = `cluster "${from}" has no link here`;
    return { result: "unknown_link", problem: { code: "UNKNOWN_PEER", reason } };
  }
}
