/** Both clusters and what crosses between them, as lines of text. Pure: the same picture gives the same lines. */
import { fit } from "./fit.ts";
import type { Paint } from "./screen.ts";

export interface ClientPicture {
  readonly name: string;
  readonly filters: readonly string[];
  readonly receivedPerSecond: number;
}

export interface ClusterPicture {
  readonly name: string;
  readonly url: string;
  /** The agent knows its clients' interest exactly; otherwise it asks for all that its link takes. */
  readonly exact: boolean;
  readonly clients: readonly ClientPicture[];
  /** Routes out: what its clients want of the other side. */
  readonly asksFor: readonly string[];
  /** Routes in: what the other side wants of it. */
  readonly isAskedFor: readonly string[];
  readonly publishedPerSecond: number;
}

/** What crosses in one direction. */
export interface FlowPicture {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly messages: number;
}

export interface Picture {
  readonly upper: ClusterPicture;
  readonly lower: ClusterPicture;
  /** From the lower cluster to the upper one. */
  readonly up: FlowPicture;
  readonly down: FlowPicture;
  /** One word: connected, connecting, … */
  readonly link: string;
  readonly healthy: boolean;
  /** Reliable messages that the other side has not confirmed. */
  readonly waiting: number;
  readonly dropped: number;
  /** Messages that came back and were not sent again. */
  readonly suppressed: number;
  /** The latest last. */
  readonly news: readonly string[];
  /** What to try, in a few words; left out where it does not fit. */
  readonly hint: string;
}

export const COLUMNS_MIN = 60;
const COLUMNS_MAX = 100;
const NEWS_LINES = 3;
const FOOTER = "Ctrl-C ends it.";

/** At most `rows` lines of at most `columns` characters; what does not fit is left out from the end, the footer last. */
export function drawPicture(picture: Picture, columns: number, rows: number, paint: Paint): string[] {
  const width = Math.min(Math.max(columns, COLUMNS_MIN), COLUMNS_MAX);
  const { upper, lower, news } = picture;
  const shownNews = Array.from({ length: NEWS_LINES }, (_, index) => news[news.length - NEWS_LINES + index] ?? "");
  const lines = [
    ...clusterLines(upper, picture.down, width, paint),
    ...linkLines(picture, width, paint),
    ...clusterLines(lower, picture.up, width, paint),
    ...shownNews.map((line) => paint("dim", fit(` ${line}`, width).trimEnd())),
  ];
  const footer = ` ${FOOTER} ${picture.hint}`;
  const shownFooter = footer.length <= width ? footer.trimEnd() : ` ${FOOTER}`;
  return [...lines.slice(0, Math.max(rows - 1, 0)), ...(rows > 0 ? [shownFooter] : [])];
}

/** `leaving`: what crosses from here to the other side. */
function clusterLines(cluster: ClusterPicture, leaving: FlowPicture, width: number, paint: Paint): string[] {
  const inner = width - 4;
  const row = (text: string): string => `│ ${text} │`;
  const title = `─ ${cluster.name} ── ${cluster.url} `;
  return [
    `┌${paint("bold", fit(title, width - 2, "─"))}┐`,
    ...cluster.clients.map((client) => row(clientLine(client, inner, paint))),
    row(
      fit(`asks for     ${filters(cluster.asksFor)}${cluster.exact ? "" : "  (not sure of its clients yet)"}`, inner),
    ),
    row(fit(`is asked for ${filters(cluster.isAskedFor)}`, inner)),
    row(
      fit(`publishes    ${rate(cluster.publishedPerSecond)}, of which cross ${rate(leaving.messagesPerSecond)}`, inner),
    ),
    `└${"─".repeat(width - 2)}┘`,
  ];
}

function clientLine({ name, filters: held, receivedPerSecond }: ClientPicture, width: number, paint: Paint): string {
  const right = held.length === 0 ? "" : ` gets ${rate(receivedPerSecond)}`;
  const left = fit(
    `${name.padEnd(12)} ${held.length === 0 ? "no subscription" : held.join(", ")}`,
    width - right.length,
  );
  return paint(held.length === 0 ? "dim" : "bold", left) + right;
}

function linkLines(
  { up, down, link, healthy, waiting, dropped, suppressed }: Picture,
  width: number,
  paint: Paint,
): string[] {
  const flow = (arrow: string, { messagesPerSecond, bytesPerSecond, messages }: FlowPicture): string =>
    ` ${arrow} ${rate(messagesPerSecond).padStart(8)} ${bytes(bytesPerSecond).padStart(10)} ${whole(messages).padStart(9)} in all`;
  const state = `link ${link} `;
  const counts = `waiting ${whole(waiting)}, dropped ${whole(dropped)}, suppressed ${whole(suppressed)}`;
  return [
    fit(flow("▲", up), width - state.length) + paint(healthy ? "good" : "bad", state.trimEnd()),
    fit(flow("▼", down), width).trimEnd(),
    paint("dim", fit(`   ${counts}`, width).trimEnd()),
  ];
}

function filters(list: readonly string[]): string {
  return list.length === 0 ? "nothing" : list.join(", ");
}

function rate(perSecond: number): string {
  return `${perSecond.toFixed(1)}/s`;
}

function bytes(perSecond: number): string {
  return perSecond < 1000 ? `${perSecond.toFixed(0)} B/s` : `${(perSecond / 1000).toFixed(1)} kB/s`;
}

function whole(number: number): string {
  return number.toLocaleString("en-US");
}
