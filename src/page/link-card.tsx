/** Everything about one link: state and why, rates, spool, routes, the last error, what happened before, and what can be done. */
import type { ComponentChildren, JSX } from "preact";
import { formatAgo, formatBytes, formatCount, formatSome, formatSpan } from "./format.ts";
import { toneOf, wordOf } from "./link-tone.ts";
import type { LinkAnswer } from "./overview.ts";
import { Pill } from "./pill.tsx";
import { RateChart } from "./rate-chart.tsx";
import type { RatePoint } from "./rate-history.ts";
import { retainedText } from "./retained-text.ts";

export interface LinkActions {
  readonly toggle: () => void;
  readonly edit: () => void;
  readonly remove: () => void;
}

interface Props {
  readonly link: LinkAnswer;
  readonly points: readonly RatePoint[];
  readonly nowMs: number;
  /** null: this page may not change anything. */
  readonly actions: LinkActions | null;
}

export function LinkCard({ link, points, nowMs, actions }: Props): JSX.Element {
  const { brokerlink } = link;
  const { queue, out, in: back, interest, last_problem: problem } = brokerlink;
  const dropped = brokerlink.counters?.dropped.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return (
    <article id={`link-${link.name}`} aria-labelledby={`name-${link.name}`} class={`card ${toneOf(link)}`}>
      <div class="title-row">
        <h3 id={`name-${link.name}`}>
          {link.name} <Pill tone={toneOf(link)}>{wordOf(link)}</Pill>
        </h3>
        {actions === null ? null : (
          <div class="buttons">
            <button
              type="button"
              onClick={actions.toggle}
              aria-label={`${link.enable ? "Disable" : "Enable"} ${link.name}`}
            >
              {link.enable ? "Disable" : "Enable"}
            </button>
            <button type="button" onClick={actions.edit} aria-label={`Edit ${link.name}`}>
              Edit
            </button>
            <button type="button" class="danger" onClick={actions.remove} aria-label={`Delete ${link.name}`}>
              Delete
            </button>
          </div>
        )}
      </div>
      <p class="server">{brokerlink.peer_dials_in ? "the peer dials in" : <code>{link.server}</code>}</p>
      {problem === null ? null : (
        <p class={link.status === "connected" ? "past" : "problem"}>
          <b>{link.status === "connected" ? "Last error" : problem.code}</b> {formatAgo(problem.at, nowMs)}:{" "}
          {problem.reason}
        </p>
      )}
      <div class="charts">
        <RateChart
          title="Messages a second"
          points={points}
          out={(point) => point.messagesOut}
          in={(point) => point.messagesIn}
          format={formatCount}
          topMin={10}
        />
        <RateChart
          title="Bytes a second"
          points={points}
          out={(point) => point.bytesOut}
          in={(point) => point.bytesIn}
          format={formatBytes}
          topMin={1_024}
        />
      </div>
      <dl>
        <Fact name="Waiting for the peer">
          {queue === null
            ? "–"
            : `${formatSome(queue.spool_messages, "message")}, ${formatBytes(queue.spool_bytes)}${
                queue.spool_oldest_at === null
                  ? ""
                  : `, oldest ${formatSpan(nowMs - Date.parse(queue.spool_oldest_at))}`
              }`}
        </Fact>
        <Fact name="Round trip">
          {queue === null || queue.round_trip_ms === 0 ? "–" : `${Math.round(queue.round_trip_ms)} ms`}
        </Fact>
        <Fact name="Asked of the peer">
          {out === null
            ? "–"
            : `${formatSome(out.routes, "route")}, ${interest.exact ? "exact" : `wide (${interest.reason})`}`}
        </Fact>
        <Fact name="Asked by the peer">
          {back === null ? "–" : `${formatSome(back.routes, "route")}, ${back.state}`}
        </Fact>
        <Fact name="Retained messages">{retainedText(link)}</Fact>
        <Fact name="Dropped">{formatCount(dropped)}</Fact>
        <Fact name="Refused routes">{formatCount(brokerlink.refused_routes.length)}</Fact>
      </dl>
      <History link={link} nowMs={nowMs} />
    </article>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function History({ link, nowMs }: { readonly link: LinkAnswer; readonly nowMs: number }): JSX.Element {
  const { history } = link.brokerlink;
  const drops = link.brokerlink.counters?.dropped ?? [];
  return (
    <details>
      <summary>
        {formatSome(history.length, "state change")}, drops for {formatSome(drops.length, "reason")}
      </summary>
      <ol class="history">
        {[...history].reverse().map(({ at, from, to, why }) => (
          <li key={`${at} ${from} ${to}`}>
            <time dateTime={at}>{formatAgo(at, nowMs)}</time> {from} → <b>{to}</b>
            {why === null || why === "" ? "" : `: ${why}`}
          </li>
        ))}
      </ol>
      <ul class="history">
        {drops.map(({ direction, reason, count }) => (
          <li key={`${direction} ${reason}`}>
            {direction}: {reason} {formatCount(count)}
          </li>
        ))}
      </ul>
    </details>
  );
}
