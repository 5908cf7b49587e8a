/** One second of `brokerlink top`. */
import { printable } from "../config/printable.ts";
import type { Paint } from "../demo/screen.ts";
import type { LinkAnswer } from "../ops/link-answer.ts";
import type { Overview } from "../ops/overview.ts";
import { short, spanBetween } from "./figures.ts";
import { STATUS_STYLES } from "./status-text.ts";
import { type Column, table } from "./table.ts";

export interface LinkRates {
  readonly link: string;
  readonly status: LinkAnswer["status"];
  readonly sent_per_second: number;
  readonly received_per_second: number;
  readonly sent_bytes_per_second: number;
  readonly received_bytes_per_second: number;
  readonly dropped_per_second: number;
  readonly spool_messages: number;
  readonly spool_oldest_at: string | null;
  /** Null: the link is disabled. */
  readonly round_trip_ms: number | null;
}

const COLUMNS: readonly Column[] = [
  { title: "LINK", gives: true },
  { title: "STATUS" },
  { title: "OUT/s", right: true },
  { title: "IN/s", right: true },
  { title: "B OUT/s", right: true },
  { title: "B IN/s", right: true },
  { title: "DROP/s", right: true },
  { title: "SPOOL", right: true },
  { title: "AGE", right: true },
  { title: "RTT", right: true },
];

export function topText(
  { cluster, at, ready, local }: Overview,
  rates: readonly LinkRates[],
  columns: number,
  paint: Paint,
): string[] {
  const state = ready ? paint("good", "ready") : paint("bad", "not ready");
  const interest = local.wide === null ? "interest exact" : paint("doubtful", `interest wide (${local.wide.reason})`);
  const [title = "", ...rows] = table(
    COLUMNS,
    rates.map((each) => row(each, at)),
    columns,
  );
  return [
    `${printable(cluster)}  ${at.slice(11, 19)} UTC  ${state}  ${interest}`,
    "",
    paint("bold", title),
    ...rates.map(({ status }, index) =>
      (rows[index] ?? "").replace(new RegExp(`\\b${status}\\b(?=\\s)`), (word) => paint(STATUS_STYLES[status], word)),
    ),
  ];
}

function row(rates: LinkRates, at: string): string[] {
  return [
    printable(rates.link),
    rates.status,
    short(rates.sent_per_second),
    short(rates.received_per_second),
    short(rates.sent_bytes_per_second),
    short(rates.received_bytes_per_second),
    short(rates.dropped_per_second),
    short(rates.spool_messages),
    rates.spool_oldest_at === null ? "-" : spanBetween(rates.spool_oldest_at, at),
    rates.round_trip_ms === null ? "-" : `${short(rates.round_trip_ms)}ms`,
  ];
}
