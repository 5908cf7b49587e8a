/** A small chart of two rates over the last two minutes. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useElementWidth } from "./element-width.ts";
import type { RatePoint } from "./rate-history.ts";

const HEIGHT_PX = 110;
const WINDOW_SECONDS = 120;
const AGO = ["2 min ago", "1 min", "now"];

interface Props {
  readonly title: string;
  readonly points: readonly RatePoint[];
  readonly out: (point: RatePoint) => number;
  readonly in: (point: RatePoint) => number;
  readonly format: (value: number) => string;
  /** The top of the scale when there is next to nothing. */
  readonly topMin: number;
}

export function RateChart({ title, points, out, in: back, format, topMin }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const width = useElementWidth(box);
  const data: uPlot.AlignedData = [points.map(({ atSeconds }) => atSeconds), points.map(out), points.map(back)];
  const latest = points.at(-1);
  useEffect(() => {
    if (box.current === null || width === 0) return;
    const plot = new uPlot(options(box.current, width, format, topMin), data, box.current);
    chart.current = plot;
    return () => {
      plot.destroy();
      chart.current = null;
    };
    // Made again for another width only: new points are given to the chart that is there.
  }, [width]);
  useEffect(() => {
    chart.current?.setData(data);
  }, [points]);
  const now = latest === undefined ? "no reading yet" : `out ${format(out(latest))}, in ${format(back(latest))}`;
  return (
    <figure>
      <figcaption>
        {title} <span class="now">{now}</span>
      </figcaption>
      <div ref={box} class="chart" aria-hidden="true" />
    </figure>
  );
}

/** The colours are those of the page, asked for at each drawing: a chart draws on a canvas, which knows no style sheet. */
function options(box: HTMLElement, width: number, format: (value: number) => string, topMin: number): uPlot.Options {
  const colour = (name: string) => (): string => {
    box.style.color = `var(${name})`;
    return getComputedStyle(box).color;
  };
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: (_plot, _min, max) => [max - WINDOW_SECONDS, max] },
      y: { range: (_plot, _min, max) => [0, Math.max(topMin, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 20,
        splits: (_plot, _axis, _min, max) => [max - WINDOW_SECONDS, max - WINDOW_SECONDS / 2, max],
        values: () => AGO,
      },
      { ...axis, size: 52, values: (_plot, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      { label: "out", stroke: colour("--out"), width: 2, points: { show: false } },
      { label: "in", stroke: colour("--in"), width: 2, points: { show: false }, dash: [6, 3] },
    ],
  };
}
