/** One word for a link, in EMQX's vocabulary but true for both halves: our routes at the peer, and the peer's here. */
import type { AcceptorState } from "../link/acceptor.ts";
import type { AnnouncerState } from "../link/announcer.ts";
import type { LinkStatusWord } from "./hub-event.ts";

/** A half that is still on its way after this long is not coming: several greetings went unanswered. */
const PATIENCE_MS = 15_000;

type Half = "good" | "coming" | "bad";

export interface LinkHealthInput {
  readonly transportUp: boolean;
  /** Since when the transport is as it is, or the link was created. */
  readonly transportSinceMs: number;
  readonly everUp: boolean;
  readonly out: AnnouncerState;
  readonly in: AcceptorState;
  readonly nowMs: number;
}

export function linkHealth(input: LinkHealthInput): LinkStatusWord {
  const patient = input.nowMs - input.transportSinceMs < PATIENCE_MS;
  if (!input.transportUp && !input.everUp && patient) return "connecting";
  const out = outHalf(input.out, patient);
  const incoming = inHalf(input.in, patient);
  if (out === "good" && incoming === "good") return "connected";
  if (out === "bad" && incoming === "bad") return "disconnected";
  if (out === "coming" || incoming === "coming") return "connecting";
  return "inconsistent";
}

function outHalf(state: AnnouncerState, patient: boolean): Half {
  switch (state) {
    case "online":
      return "good";
    case "bootstrapping":
      return "coming";
    case "greeting":
      return patient ? "coming" : "bad";
    case "idle":
    case "refused":
      return "bad";
  }
}

function inHalf(state: AcceptorState, patient: boolean): Half {
  switch (state) {
    case "online":
      return "good";
    case "none":
    case "greeted":
      return patient ? "coming" : "bad";
    case "silent":
    case "paused":
    case "left":
      return "bad";
  }
}
