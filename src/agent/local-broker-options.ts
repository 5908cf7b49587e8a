/** What the local broker's sessions are told when they are made, and what they tell. */
import type { AdapterSink, BrokerAdapter } from "../broker/adapter.ts";
import type { LocalConfig } from "../config/types.ts";
import type { LocalMessage } from "../hub/local-message.ts";
import type { SessionProblem } from "../mqtt/session.ts";

export interface LocalBrokerOptions {
  readonly config: LocalConfig;
  readonly cluster: string;
  readonly controlPrefix: string;
  readonly adapter: (sink: AdapterSink) => BrokerAdapter;
  readonly random: () => number;
  /** How long the broker is to keep messages for the agent's next life; null: nothing is kept on disk that could go on. */
  readonly keepSeconds: number | null;
}

export type LocalSessionName = "events" | "link" | "data";
/** All that end a client id of this agent; `retained` comes and goes. */
export const OWN_SESSIONS = ["events", "link", "data", "retained"] as const;
export type OwnSession = (typeof OWN_SESSIONS)[number];

export interface LocalBrokerEvents extends AdapterSink {
  session(name: LocalSessionName, up: boolean, problem: SessionProblem | null): void;
  linkUp(packetBytesMax: number): void;
  linkDown(problem: SessionProblem): void;
  control(to: string, from: string, bytes: Uint8Array): void;
  frame(from: string, bytes: Uint8Array, stayMs: number): void;
  dataUp(sessionPresent: boolean, properties: boolean, echoing: boolean): void;
  dataDown(): void;
  message(message: LocalMessage): void;
  marker(marker: number): void;
  /** The local broker does not pass our own control topics on to us. */
  controlDenied(topic: string, why: string): void;
  controlWorks(): void;
  /** The answer to a control message, or to a frame that was to be confirmed, for a peer that dials in. */
  linkAnswered(peer: string, frame: number | null, reasonCode: number): void;
}
