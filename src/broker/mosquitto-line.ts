/**
 * Mosquitto's subscribe and unsubscribe log lines: `ID QOS FILTER` and `ID FILTER`, unescaped, in a 1000-byte buffer.
 *
 * Ids and filters may contain spaces, so a line may have several readings; all are answered, and `choose` says what may be
 * concluded from them. A cut line names a filter that covers every filter it can have been.
 */
import { filterProblem } from "../topic/filter.ts";

export interface Reading {
  readonly client: string;
  /** As the client wrote it, or (cut line) what covers it. */
  readonly filter: string;
}

/** The broker's line buffer holds 999 bytes and a NUL; one byte of caution. */
const LINE_BYTES_CUT = 998;
const LINE_BYTES_MAX = 999;
/** Longest UTF-8 sequence less one: what a cut may leave of a character. */
const TAIL_BYTES_MAX = 3;

const SHARED = "$share/";

/** Null: not UTF-8, so no line of Mosquitto's. `cut`: the broker may have printed only the beginning. */
export function decodeLine(payload: Uint8Array): { readonly text: string; readonly cut: boolean } | null {
  const cut = payload.length >= LINE_BYTES_CUT;
  if (!cut) return decode(payload, cut);
  for (let lost = 0; lost <= TAIL_BYTES_MAX; lost += 1) {
    const line = decode(payload.subarray(0, LINE_BYTES_MAX - lost), cut);
    if (line !== null) return line;
  }
  return null;
}

function decode(bytes: Uint8Array, cut: boolean): { readonly text: string; readonly cut: boolean } | null {
  try {
    // ignoreBOM keeps a U+FEFF that an id may start with.
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), cut };
  } catch {
    return null;
  }
}

/** Every way to read `ID QOS FILTER` with a valid filter. */
export function subscribeReadings(line: string, cut: boolean): Reading[] {
  return readings(line, / [012] /g, cut);
}

/** Every way to read `ID FILTER` with a valid filter. */
export function unsubscribeReadings(line: string, cut: boolean): Reading[] {
  return readings(line, / /g, cut);
}

function readings(line: string, gap: RegExp, cut: boolean): Reading[] {
  const found: Reading[] = [];
  for (;;) {
    const match = gap.exec(line);
    if (match === null) return found;
    // Gaps may overlap: "a 1 2 b" has two.
    gap.lastIndex = match.index + 1;
    if (match.index === 0) continue;
    const raw = line.slice(match.index + match[0].length);
    const filter = cut ? coverOfCut(raw) : raw;
    if (filterProblem(filter) === null) found.push({ client: line.slice(0, match.index), filter });
  }
}

/** The smallest filter that covers all filters starting with `raw`: its whole levels, then `#`. */
export function coverOfCut(raw: string): string {
  if (!raw.startsWith(SHARED)) return coverOfLevels(raw);
  const groupEnd = raw.indexOf("/", SHARED.length);
  return groupEnd < 0 ? "#" : raw.slice(0, groupEnd + 1) + coverOfLevels(raw.slice(groupEnd + 1));
}

function coverOfLevels(raw: string): string {
  const end = raw.lastIndexOf("/");
  return end < 0 ? "#" : `${raw.slice(0, end)}/#`;
}

export interface Choice {
  readonly certain: boolean;
  readonly readings: readonly Reading[];
}

/**
 * Which readings stand: only connected clients print such lines. `complete` false: there are connected clients whose names
 * are not remembered, so being the only known one proves nothing.
 */
export function choose(
  all: readonly Reading[],
  live: { has(client: string): boolean; readonly complete: boolean },
): Choice {
  if (all.length === 1 || !live.complete) return { certain: all.length === 1, readings: all };
  const known = all.filter((reading) => live.has(reading.client));
  if (known.length === 0) return { certain: false, readings: all };
  return { certain: known.length === 1, readings: known };
}

const START = /^mosquitto version \S+ starting$/;

/**
 * The first line of a broker's life, written after its sessions were restored: in a session that survived it stands between
 * what the last life queued and what this one says.
 */
export function isStart(text: string): boolean {
  return START.test(text);
}
