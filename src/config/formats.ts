/**
 * The formats of single values: texts, numbers, switches, choices, durations, sizes, and lists of them. Each says all
 * that is wrong; none knows the key it is used for.
 */
import { utf8Length } from "../topic/filter.ts";
import { didYouMean } from "./closest.ts";
import { type Format, plainText, type TextKind } from "./format.ts";
import { quoted, quotedAddress } from "./printable.ts";
import type { Report } from "./problem.ts";

/** MQTT strings and binary data have a length of two bytes (MQTT 5.0 §1.5.4, §1.5.6). */
const MQTT_STRING_BYTES_MAX = 65_535;
/** PATH_MAX of Linux. */
const FILE_NAME_LENGTH_MAX = 4_096;

const MS = 1;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const DURATION = /^(?:(\d{1,15})d)?(?:(\d{1,15})h)?(?:(\d{1,15})m)?(?:(\d{1,15})s)?(?:(\d{1,15})ms)?$/;
const BYTES = /^(\d{1,15})(?: ?([A-Za-z]{1,3}))?$/;

const BYTE_UNITS: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
]);

/** What a wrong value is, for a problem. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return `the text ${quotedAddress(value)}`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return `${value}`;
  return Array.isArray(value) ? "a list" : "a group of keys";
}

/** As kindOf, for places where any text could hold a secret. */
export function shapeOf(value: unknown): string {
  return typeof value === "string" ? "a text" : kindOf(value);
}

/** The way out for what YAML takes for a number or a switch. */
function inQuotes(value: unknown): string {
  return typeof value === "number" || typeof value === "boolean" ? ": put it in quotes" : "";
}

/** A text of at least one character without control characters. */
export function text(expects: string, options: { readonly bytesMax?: number } = {}): Format<string> {
  const { bytesMax = MQTT_STRING_BYTES_MAX } = options;
  return {
    expects,
    text: "text",
    parse(value, report) {
      if (typeof value !== "string") {
        report(`must be a text, and is ${kindOf(value)}${inQuotes(value)}`);
        return undefined;
      }
      const problem = textProblem(value, bytesMax);
      if (problem === null) return value;
      report(problem);
      return undefined;
    },
  };
}

/** Never repeats the value. Anything an MQTT broker may take as a password. */
export const SECRET: Format<string> = {
  expects: "a text",
  text: "text",
  parse(value, report) {
    if (typeof value === "string") {
      const problem = secretProblem(value);
      if (problem === null) return value;
      report(problem);
    } else report(`must be a text${inQuotes(value)}`);
    return undefined;
  },
};

export function secretProblem(value: string): string | null {
  if (value === "") return "is empty";
  return utf8Length(value) > MQTT_STRING_BYTES_MAX ? `is longer than ${MQTT_STRING_BYTES_MAX} bytes` : null;
}

export const FILE_NAME: Format<string> = text("a file name", { bytesMax: FILE_NAME_LENGTH_MAX });
export const DIRECTORY_NAME: Format<string> = text("the name of a directory", { bytesMax: FILE_NAME_LENGTH_MAX });

/** A text that matches a pattern; `what` names it in the problem. A URL with a password, put there by mistake, is masked. */
export function pattern(expects: string, what: string, regex: RegExp): Format<string> {
  return {
    expects,
    text: "text",
    parse(value, report) {
      if (typeof value === "string") {
        if (regex.test(value)) return value;
        report(`${quotedAddress(value)} is no ${what}: it must be ${plainText(expects)}`);
      } else report(`must be ${plainText(expects)}, and is ${kindOf(value)}${inQuotes(value)}`);
      return undefined;
    },
  };
}

export function integer(min: number, max: number): Format<number> {
  const expects = `a whole number from ${grouped(min)} to ${grouped(max)}`;
  return {
    expects,
    text: "scalar",
    parse(value, report) {
      if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
      report(`must be ${expects}, and is ${kindOf(value)}`);
      return undefined;
    },
  };
}

/** True and false, and other words for them. */
export function flag(yes: readonly string[] = [], no: readonly string[] = []): Format<boolean> {
  return {
    expects: "`true` or `false`",
    text: "scalar",
    parse(value, report) {
      if (typeof value === "boolean") return value;
      if (typeof value === "string" && yes.includes(value)) return true;
      if (typeof value === "string" && no.includes(value)) return false;
      report(`must be true or false, and is ${kindOf(value)}`);
      return undefined;
    },
  };
}

/** One of several words. `later`: words of later versions, with what is said of them. */
export function choice<const W extends string>(
  what: string,
  words: readonly W[],
  later: Readonly<Record<string, string>> = {},
): Format<W> {
  return {
    expects: `one of ${words.map((word) => `\`${word}\``).join(", ")}`,
    text: "text",
    parse(value, report) {
      const found = words.find((word) => word === value);
      if (found !== undefined) return found;
      const known = words.length === 1 ? `only "${words[0]}" is` : `known are ${words.join(", ")}`;
      if (typeof value !== "string") {
        report(`must be one of ${words.join(", ")}, and is ${kindOf(value)}`);
      } else if (Object.hasOwn(later, value)) {
        report(`"${value}" ${later[value] ?? ""}; ${known}${words.length === 1 ? " possible now" : ""}`);
      } else {
        report(
          `${quotedAddress(value)} is no ${what}: ${known}${words.length === 1 ? " known" : ""}${didYouMean(value, words)}`,
        );
      }
      return undefined;
    },
  };
}

/** `10s`, `500ms`, `1h30m`: milliseconds. With `orNever`, the word `never` is Infinity. */
export function duration(minMs: number, maxMs: number, orNever = false): Format<number> {
  const range = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return {
    expects: `${orNever ? "`never`, or " : ""}a duration such as \`500ms\`, \`15s\`, \`1h30m\`; ${range}`,
    text: "text",
    parse(value, report) {
      if (orNever && value === "never") return Number.POSITIVE_INFINITY;
      if (typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value))) {
        report(`needs a unit: "${value}s" are seconds, "${value}ms" milliseconds`);
        return undefined;
      }
      const ms = typeof value === "string" ? parseDuration(value) : null;
      if (ms === null) report(`must be a duration such as 500ms, 15s or 1h30m, and is ${kindOf(value)}`);
      else if (ms < minMs || ms > maxMs) report(`must be ${range}, and is ${formatDuration(ms)}`);
      else return ms;
      return undefined;
    },
  };
}

/** `64KiB`, `10MB`, or a plain number of bytes. */
export function bytes(min: number, max: number): Format<number> {
  const range = `from ${formatBytes(min)} to ${formatBytes(max)}`;
  return {
    expects: `bytes: \`64KiB\`, \`10MB\` (10,000,000), or a plain number; ${range}`,
    text: "text",
    parse(value, report) {
      const size = typeof value === "number" ? value : typeof value === "string" ? parseBytes(value) : null;
      if (size === null || !Number.isInteger(size)) {
        report(`must be a size such as 64KiB, 10MB or a whole number of bytes, and is ${kindOf(value)}`);
      } else if (size < min || size > max) {
        report(`must be ${range}, and is ${size < 0 ? size : formatBytes(size)}`);
      } else return size;
      return undefined;
    },
  };
}

/** A list of what `item` reads. Usable items survive beside bad ones. */
export function list<T>(item: Format<T>, what: string, itemsMax: number, kind: TextKind = "list"): Format<T[]> {
  return {
    expects: `a list of ${what}, at most ${grouped(itemsMax)}`,
    text: kind,
    parse(value, report) {
      const items = listItems(value, what, itemsMax, report);
      if (items === undefined) return undefined;
      const good: T[] = [];
      for (const [index, entry] of items.entries()) {
        const parsed = item.parse(entry, (message, at = []) => report(message, [index, ...at]));
        if (parsed !== undefined) good.push(parsed);
      }
      return good;
    },
  };
}

export function listItems(
  value: unknown,
  what: string,
  itemsMax: number,
  report: Report,
): readonly unknown[] | undefined {
  if (!Array.isArray(value)) {
    report(`must be a list of ${what}, and is ${kindOf(value)}`);
    return undefined;
  }
  if (value.length > itemsMax) {
    report(`has ${grouped(value.length)} entries; at most ${grouped(itemsMax)} are allowed`);
    return undefined;
  }
  return value;
}

/** Null: it is no duration. */
export function parseDuration(value: string): number | null {
  const match = DURATION.exec(value);
  if (match === null || value === "") return null;
  const parts = [DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, MS];
  const ms = parts.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unit, 0);
  return Number.isSafeInteger(ms) ? ms : null;
}

/** Null: it is no size. */
export function parseBytes(value: string): number | null {
  const match = BYTES.exec(value);
  const unit = BYTE_UNITS.get((match?.[2] ?? "b").toLowerCase());
  if (match === null || unit === undefined) return null;
  const size = Number(match[1]) * unit;
  return Number.isSafeInteger(size) ? size : null;
}

/** The shortest text that `duration` reads back as `ms`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let said = "";
  for (const [unit, name] of [
    [DAY_MS, "d"],
    [HOUR_MS, "h"],
    [MINUTE_MS, "m"],
    [SECOND_MS, "s"],
    [MS, "ms"],
  ] as const) {
    const count = Math.floor(rest / unit);
    if (count > 0) said += `${count}${name}`;
    rest -= count * unit;
  }
  return said === "" ? "0s" : said;
}

/** A text that `bytes` reads back as `size`. */
export function formatBytes(size: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const factor = BYTE_UNITS.get(unit.toLowerCase()) ?? 1;
    if (size >= factor && size % factor === 0) return `${size / factor}${unit}`;
  }
  return `${size}`;
}

/** 1000000 as 1,000,000. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

function textProblem(value: string, bytesMax: number): string | null {
  if (value === "") return "is empty";
  if (/\p{Cc}|\p{Cs}/u.test(value)) return `has a control character: ${quoted(value)}`;
  return utf8Length(value) > bytesMax ? `is longer than ${bytesMax} bytes` : null;
}
