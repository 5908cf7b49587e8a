/**
 * Every problem the agent can name, with the sentence an operator reads first. A code is for ever: scripts and alarms
 * match on it. docs/OPERATING.md says what to do about each; a house test compares.
 */

/** One sentence each, in the order in which an operator meets them. */
const SENTENCES = {
  CONFIG_INVALID:
    "The configuration has a mistake and the agent did not start, or kept the old configuration on a reload.",
  CONFIG_NEEDS_RESTART:
    "The new configuration changes a key that only a restart can change; the old one stays in force.",
  DATA_DIR_LOCKED: "Another process uses the same data directory.",
  DATA_DIR_UNUSABLE: "The data directory cannot be read or written.",
  HTTP_UNAVAILABLE: "The HTTP listener could not be opened.",
  AGENT_UNREACHABLE: "A command found no running agent at the address that it asked.",
  AGENT_REFUSED: "A running agent did not answer what a command asked.",

  LOCAL_UNREACHABLE: "The local broker does not answer at its address.",
  LOCAL_REFUSED: "The local broker answered and refused the connection.",
  LOCAL_TLS: "The TLS handshake with the local broker failed.",
  LOCAL_SESSION_TAKEN: "Another client took over one of the agent's sessions on the local broker.",
  LOCAL_SESSION_LOST: "The local broker forgot a durable session of the agent; what it had queued there is gone.",
  LOCAL_UNSUITABLE: "The local broker lacks something that the configuration relies on.",
  LOCAL_QUEUE_OVERFLOW: "The local broker dropped messages while the agent held its acknowledgements back.",
  EVENTS_DISABLED: "The local broker does not announce its clients' subscriptions.",
  EVENTS_LOST: "Subscription events may have been missed; the agent asks for more than it needs until that is mended.",
  LOCAL_API_UNREACHABLE: "The local broker's HTTP API does not answer at its address.",
  LOCAL_API_TLS: "The TLS handshake with the local broker's HTTP API failed.",
  LOCAL_API_REFUSED: "The local broker's HTTP API does not take the key, or the key may not read subscriptions.",
  LOCAL_API_FAILED: "The local broker's HTTP API answered, and not with its list of subscriptions.",
  DEMAND_REFUSED: "The local broker refused a subscription that a peer needs.",
  TABLE_FULL: "A table reached its limit and was widened.",

  PEER_UNREACHABLE: "The peer's broker does not answer at its address.",
  PEER_LOGIN_REFUSED: "The peer's broker answered and refused the connection.",
  PEER_TLS: "The TLS handshake with the peer's broker failed.",
  PEER_SESSION_TAKEN: "Another client took over the link's session on the peer's broker.",
  CONTROL_DENIED: "A broker denied the agent the right to publish or subscribe under the control prefix.",
  PEER_SILENT: "The connection stands, but the peer's agent does not answer.",
  PEER_UNKNOWN_LINK: "The peer has no link with this cluster's name.",
  UNKNOWN_PEER: "A cluster that this agent has no link with tries to speak to it.",
  WRONG_NAME: "The agent that answered belongs to another cluster than the link names.",
  PEER_LINK_DISABLED: "The peer has disabled its link to this cluster.",
  DUPLICATE_AGENT: "Another running agent uses the same cluster name.",
  PROTOCOL_MISMATCH: "The peer speaks no protocol version that this agent knows.",
  CLOCK_WENT_BACK: "The clock is behind an earlier life of this agent; a higher incarnation was taken.",
  BAD_MESSAGE: "A message under the control prefix could not be understood; the conversation starts again.",
  DIGEST_MISMATCH: "The two sides disagreed about the routes; they are being sent again.",
  ROUTE_REFUSED: "The peer cannot serve a route of this cluster.",
  RETAINED_UNSUPPORTED: "What is already retained on the other side cannot be brought over on this link.",
  RETAINED_INCOMPLETE: "Some of what is already retained did not come over, or was not taken.",
  ROUTES_EXPIRED: "A peer was silent for too long and its routes were dropped.",

  SPOOL_FULL: "The spool reached its limit and messages were dropped or held back.",
  SPOOL_DAMAGED: "A part of the spool could not be read; its messages are lost, the others are kept.",
  SPOOL_WRITE_FAILED:
    "The disk does not take what is to be spooled; it is tried again, and nothing of it is acknowledged.",
  JOURNAL_DAMAGED: "A part of the agent's own state could not be read; what was written behind the damage is lost.",
  JOURNAL_WRITE_FAILED: "The disk does not take the agent's own state; it is tried again.",
  MESSAGE_REFUSED: "A broker refused a single message for good; it was dropped.",
  FOREIGN_LOOP: "Messages come back through a bridge that is not ours; the topic is suppressed.",
} as const;

export type ErrorCode = keyof typeof SENTENCES;

export const ERROR_CODES: Readonly<Record<ErrorCode, string>> = SENTENCES;

/** A failure with a code, for the shells' edges; `cause` carries what the system said. */
export class LinkError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "LinkError";
    this.code = code;
  }
}
