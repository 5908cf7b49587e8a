/**
 * Greetings of EMQX clusters that no link is configured with, or one that is switched off: they are told, or their operators
 * would search for ever. At most one answer a second to all of them together. Pure.
 */
import type { ErrorCode } from "../base/error-codes.ts";
import { EMQX_PROTOCOL, type EmqxControl, encodeEmqxControl } from "./control.ts";
import { isResponseTopic } from "./names.ts";
import type { ReplyTo } from "./registrar.ts";

const ANSWER_MS = 1_000;
const NAME_UNITS_SHOWN = 64;

export interface StrangerAnswer {
  readonly topic: string;
  readonly correlation: Uint8Array;
  readonly bytes: Uint8Array;
  readonly problem: { readonly code: ErrorCode; readonly reason: string } | null;
}

export class EmqxStrangers {
  #lastAnswerMs = Number.NEGATIVE_INFINITY;

  /** `isDisabled`: there is a link with that name, switched off. Null: nothing is said. */
  answer(
    from: string,
    message: EmqxControl,
    { topic, correlation }: ReplyTo,
    isDisabled: boolean,
    nowMs: number,
  ): StrangerAnswer | null {
    if (message.op !== "actor_init" || topic === null || correlation === null) return null;
    if (!isResponseTopic(topic, from) || Math.abs(nowMs - this.#lastAnswerMs) < ANSWER_MS) return null;
    this.#lastAnswerMs = nowMs;
    const error = isDisabled ? "cluster_link_disabled" : "unknown_cluster";
    const bytes = encodeEmqxControl({
      op: "actor_init_ack",
      actor: message.actor,
      protocol: EMQX_PROTOCOL,
      error,
      needBootstrap: false,
    });
    const reason = `the EMQX cluster "${from.slice(0, NAME_UNITS_SHOWN)}" has no link here`;
    return { topic, correlation, bytes, problem: isDisabled ? null : { code: "UNKNOWN_PEER", reason } };
  }
}
