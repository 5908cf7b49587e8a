/**
 * Mosquitto's N and E log lines about clients, taken apart. Pure text in, values out.
 *
 * Client ids and user names are printed raw and may contain any of these phrases. A line that can be read in several ways
 * answers all readings; who is meant is decided by the caller, who knows the clients.
 */

export type Notice =
  /** A TCP socket was accepted: WebSocket clients have no such line. */
  | { readonly kind: "opened"; readonly address: string }
  | { readonly kind: "connected"; readonly address: string; readonly readings: readonly ConnectReading[] }
  /** A client connected whose id or flags cannot be read: `id` begins with it, or (not cut) it begins with the id. */
  | { readonly kind: "connected_unclear"; readonly rest: string }
  /** The connection of one of these ended. `closed`: the socket went away without a word. */
  | { readonly kind: "ended"; readonly clients: readonly string[]; readonly closed: boolean }
  | { readonly kind: "taken_over"; readonly client: string }
  | { readonly kind: "expired"; readonly client: string }
  /** The broker's queue for this client is full. */
  | { readonly kind: "dropping"; readonly client: string };

export interface ConnectReading {
  readonly client: string;
  /** As printed: 2.0 prints 1, 2 and 5, later versions 3, 4 and 5. */
  readonly protocol: number;
  readonly clean: boolean;
}

/** Sockets that never sent a CONNECT are printed with this name. */
const NOBODY = "<unknown>";

const OPENED = /^New connection from (.+) on port \d+\.$/;
const CONNECTED = /^New client connected from (.+?):(\d+) as /;
const FLAGS = / \(p(\d{1,3}), c([01]), k\d{1,10}(?:\)\.$|, u')/g;

const CLIENT = "Client ";
const TAKEN_OVER = " already connected, closing old connection.";
const CLOSED = " closed its connection.";

/** Complete endings: the broker appends nothing, so what stands before one is the id, whatever it contains. */
const ENDINGS = [
  " disconnected.",
  CLOSED,
  " has exceeded timeout, disconnecting.",
  " disconnected, session taken over.",
  " disconnected, not authorised.",
  " disconnected due to protocol error.",
  " disconnected due to malformed packet.",
  " disconnected due to oversize packet.",
  " disconnected due to oversize payload.",
  " disconnected due to out of memory.",
  " disconnected due to QoS too high or retain not supported.",
];
/** Printed with and without "has": the one way in which the same text can name two ids. */
const KICKED = " been disconnected by administrative action.";
/** Endings with a reason of the broker's own words, which never contain these: the last one counts. */
const OPEN_ENDINGS = [" disconnected due to ", " disconnected, ", " disconnected: "];

/** `line` without timestamp, complete (not cut). Null: no line of interest. */
export function parseNotice(line: string): Notice | null {
  if (line.startsWith("New c")) return parseNew(line);
  if (line.startsWith(CLIENT)) return parseClient(line.slice(CLIENT.length));
  const expired =
    between(line, "Expiring client ", " due to timeout.") ??
    between(line, "Expiring persistent client ", " due to timeout.");
  if (expired !== null) return { kind: "expired", client: expired };
  const dropping = between(line, "Outgoing messages are being dropped for client ", ".");
  if (dropping !== null) return { kind: "dropping", client: dropping };
  const socketError = between(line, "Socket error on client ", ", disconnecting.");
  if (socketError !== null) return { kind: "ended", clients: [socketError], closed: true };
  return null;
}

/** What a cut line still says for certain: that somebody connected whose id starts like this. */
export function parseCutNotice(line: string): Notice | null {
  const match = CONNECTED.exec(line);
  return match === null ? null : { kind: "connected_unclear", rest: line.slice(match[0].length) };
}

function parseNew(line: string): Notice | null {
  const opened = OPENED.exec(line);
  if (opened !== null) return { kind: "opened", address: opened[1] ?? "" };
  const match = CONNECTED.exec(line);
  if (match === null) return null;
  const rest = line.slice(match[0].length);
  const readings = connectReadings(rest);
  if (readings.length === 0) return { kind: "connected_unclear", rest };
  return { kind: "connected", address: `${match[1]}:${match[2]}`, readings };
}

/** `ID (p2, c1, k60).` or `ID (p2, c1, k60, u'USER').`: with a user name, both sides of the flags are free text. */
function connectReadings(rest: string): ConnectReading[] {
  const readings: ConnectReading[] = [];
  const named = rest.endsWith("').");
  for (const match of rest.matchAll(FLAGS)) {
    const withUser = match[0].endsWith("u'");
    if (match.index === 0 || (withUser && (!named || match.index + match[0].length > rest.length - 3))) continue;
    readings.push({
      client: rest.slice(0, match.index),
      protocol: Number(match[1]),
      clean: match[2] === "1",
    });
  }
  return readings;
}

function parseClient(rest: string): Notice | null {
  const taken = before(rest, TAKEN_OVER);
  if (taken !== null) return { kind: "taken_over", client: taken };
  for (const ending of ENDINGS) {
    const client = before(rest, ending);
    if (client !== null) return ended([client], ending === CLOSED);
  }
  const kicked = before(rest, KICKED);
  if (kicked !== null) {
    const plain = before(kicked, " has");
    return ended(plain === null ? [kicked] : [plain, kicked], false);
  }
  const at = Math.max(...OPEN_ENDINGS.map((ending) => rest.lastIndexOf(ending)));
  return at > 0 && rest.endsWith(".") ? ended([rest.slice(0, at)], false) : null;
}

function ended(clients: readonly string[], closed: boolean): Notice | null {
  return clients.includes(NOBODY) ? null : { kind: "ended", clients, closed };
}

function before(text: string, ending: string): string | null {
  return text.length > ending.length && text.endsWith(ending) ? text.slice(0, -ending.length) : null;
}

function between(text: string, start: string, ending: string): string | null {
  return text.startsWith(start) ? before(text.slice(start.length), ending) : null;
}
