/** The picture: this cluster, its peers, and what moves between them now. Drawn for the width there is: beside each other, or below. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { useElementWidth } from "./element-width.ts";
import { formatCount } from "./format.ts";
import { toneOf, wordOf } from "./link-tone.ts";
import type { LinkAnswer, Overview } from "./overview.ts";
import type { RateHistory } from "./rate-history.ts";

/** Links beyond this are in the list only; those in trouble are drawn first. */
const DRAWN_MAX = 12;
const NARROW_PX = 560;
const ROW_PX = 76;
const BOX = { width: 150, height: 46 } as const;
const TONE_ORDER = { bad: 0, middling: 1, good: 2, off: 3 } as const;

interface Props {
  readonly overview: Overview;
  readonly rates: ReadonlyMap<string, RateHistory>;
}

interface Peer {
  readonly link: LinkAnswer;
  readonly out: number;
  readonly in: number;
}

export function Neighbourhood({ overview, rates }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useElementWidth(box);
  const peers = [...overview.links]
    .sort((a, b) => TONE_ORDER[toneOf(a)] - TONE_ORDER[toneOf(b)])
    .slice(0, DRAWN_MAX)
    .map((link) => {
      const now = rates.get(link.name)?.now ?? null;
      return { link, out: now?.messagesOut ?? 0, in: now?.messagesIn ?? 0 };
    });
  const more = overview.links.length - peers.length;
  return (
    <section aria-label="This cluster and its links" class="picture">
      <div ref={box}>{width === 0 ? null : draw(overview, peers, width)}</div>
      {more > 0 ? <p class="hint">and {more} more links, listed below</p> : null}
    </section>
  );
}

function draw(overview: Overview, peers: readonly Peer[], width: number): JSX.Element {
  return width < NARROW_PX ? below(overview, peers, width) : beside(overview, peers, width);
}

function describe({ link, out, in: back }: Peer): string {
  return `${link.name}: ${wordOf(link)}, ${formatCount(out)} messages a second out, ${formatCount(back)} in`;
}

/** This cluster on the left, its peers in a column on the right. */
function beside({ cluster }: Overview, peers: readonly Peer[], width: number): JSX.Element {
  const height = Math.max(1, peers.length) * ROW_PX + 8;
  const middle = height / 2;
  const [left, right] = [BOX.width, width - BOX.width];
  return (
    <svg width={width} height={height} role="img" aria-label={peers.map(describe).join("; ")}>
      {peers.map((peer, row) => {
        const y = row * ROW_PX + ROW_PX / 2 + 4;
        const bend = (right - left) / 2;
        const path = (offset: number): string =>
          `M ${left} ${middle + offset} C ${left + bend} ${middle + offset} ${right - bend} ${y + offset} ${right} ${y + offset}`;
        const labelX = right - 14;
        return (
          <g key={peer.link.name} class={toneOf(peer.link)}>
            <path class="wire" d={path(-4)} />
            <path class="wire" d={path(4)} />
            {peer.out > 0 ? <path class="flow out" d={path(-4)} /> : null}
            {peer.in > 0 ? <path class="flow in" d={path(4)} /> : null}
            <text x={labelX} y={y - 12} text-anchor="end" class="rate">
              {formatCount(peer.out)}/s →
            </text>
            <text x={labelX} y={y + 22} text-anchor="end" class="rate">
              ← {formatCount(peer.in)}/s
            </text>
            <PeerBox x={right} y={y} peer={peer} />
          </g>
        );
      })}
      <OwnBox x={0} y={middle} name={cluster} />
    </svg>
  );
}

/** This cluster on top, its peers below, on one trunk. */
function below({ cluster }: Overview, peers: readonly Peer[], width: number): JSX.Element {
  const top = BOX.height + 8;
  const height = top + peers.length * ROW_PX;
  const trunk = 18;
  return (
    <svg width={width} height={height} role="img" aria-label={peers.map(describe).join("; ")}>
      {peers.map((peer, row) => {
        const y = top + row * ROW_PX + ROW_PX / 2;
        const path = (offset: number): string => `M ${trunk + offset} ${BOX.height} V ${y - offset} H ${60}`;
        return (
          <g key={peer.link.name} class={toneOf(peer.link)}>
            <path class="wire" d={path(-3)} />
            <path class="wire" d={path(3)} />
            {peer.out > 0 ? <path class="flow out" d={path(3)} /> : null}
            {peer.in > 0 ? <path class="flow in" d={path(-3)} /> : null}
            <PeerBox x={60} y={y} peer={peer} />
            <text x={60 + BOX.width + 10} y={y - 4} class="rate">
              {formatCount(peer.out)}/s →
            </text>
            <text x={60 + BOX.width + 10} y={y + 16} class="rate">
              ← {formatCount(peer.in)}/s
            </text>
          </g>
        );
      })}
      <OwnBox x={0} y={BOX.height / 2 + 1} name={cluster} />
    </svg>
  );
}

function OwnBox({ x, y, name }: { readonly x: number; readonly y: number; readonly name: string }): JSX.Element {
  return (
    <g class="own">
      <rect x={x + 1} y={y - BOX.height / 2} width={BOX.width - 2} height={BOX.height} rx="8" />
      <text x={x + 12} y={y - 3} class="name">
        {shortened(name)}
      </text>
      <text x={x + 12} y={y + 14} class="word">
        this cluster
      </text>
    </g>
  );
}

function PeerBox({ x, y, peer }: { readonly x: number; readonly y: number; readonly peer: Peer }): JSX.Element {
  const { link } = peer;
  return (
    <a href={`#link-${link.name}`} aria-label={describe(peer)}>
      <rect class="box" x={x + 1} y={y - BOX.height / 2} width={BOX.width - 2} height={BOX.height} rx="8" />
      <text x={x + 12} y={y - 3} class="name">
        {shortened(link.name)}
      </text>
      <text x={x + 12} y={y + 14} class="word">
        {wordOf(link)}
      </text>
    </a>
  );
}

/** Names have up to 64 characters, a box has room for fewer; the whole one is in the list. */
function shortened(name: string): string {
  return name.length > 16 ? `${name.slice(0, 15)}…` : name;
}
