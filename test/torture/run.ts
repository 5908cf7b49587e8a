/**
 * `npm run torture -- [--seed N] [--faults a,b] [--rounds N] [--at-once N] [--rate N] [--durability disk | end_to_end | memory]
 * [--queue N] [--takes-per-second N] [--bridge]`: the faults in turn against real brokers and agents, with a table of what was lost,
 * came twice, out of order, and how long it took to recover. `--queue`: `max_queued_messages` of the receiving broker; `--bridge`:
 * Mosquitto's own bridge in our place, to compare with.
 */
import { parseArgs } from "node:util";
import { Prng } from "../sim/prng.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { type Outcome, type TortureOptions, TorturePair } from "./torture-pair.ts";

const DURABILITIES = ["disk", "end_to_end", "memory"] as const;

export interface Round {
  readonly fault: Fault;
  readonly seed: number;
  readonly outcome: Outcome;
  readonly tail: string;
}

/** One fault, once: load, fault, the end of the load, judgement. */
export async function round(fault: Fault, seed: number, options: TortureOptions): Promise<Round> {
  const pair = await TorturePair.open(options);
  try {
    const random = new Prng(seed);
    await pair.start();
    await new Promise((resume) => setTimeout(resume, random.int(0, 500)));
    await fault.act(pair, random);
    const overMs = performance.now();
    const outcome = await pair.finish(overMs);
    return { fault, seed, outcome, tail: outcome.lost.length > 0 ? pair.tail(60) : "" };
  } finally {
    await pair.close();
  }
}

/** One line about it. */
export function told({ fault, seed, outcome }: Round): string {
  const { accepted, unsure, lost, duplicates, disordered, recoveryMs, slowestMs } = outcome;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return `${fault.name.padEnd(26)} seed ${String(seed).padEnd(6)} accepted ${String(accepted).padStart(7)}  unsure ${String(unsure).padStart(4)}  lost ${String(lost.length).padStart(5)}  twice ${String(duplicates).padStart(5)}  disordered ${String(disordered).padStart(4)}  recovered in ${seconds(recoveryMs)}, slowest ${seconds(slowestMs)}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
      faults: { type: "string", default: "" },
      rounds: { type: "string", default: "1" },
      "at-once": { type: "string", default: "1" },
      rate: { type: "string", default: "500" },
      durability: { type: "string", default: "disk" },
      bridge: { type: "boolean", default: false },
      queue: { type: "string", default: "" },
      "takes-per-second": { type: "string", default: "" },
    },
  });
  const names = values.faults === "" ? FAULTS.map(({ name }) => name) : values.faults.split(",");
  const unknown = names.filter((name) => !FAULTS.some((fault) => fault.name === name));
  if (unknown.length > 0) throw new Error(`no fault ${unknown}: there are ${FAULTS.map(({ name }) => name)}`);
  const durability = DURABILITIES.find((known) => known === values.durability);
  if (durability === undefined) throw new Error(`durability ${values.durability}: there are ${DURABILITIES}`);
  const options: TortureOptions = {
    carrier: values.bridge ? "bridge" : "agents",
    durability,
    messagesPerSecond: Number(values.rate),
    publishers: 5,
    payloadBytes: 100,
    receivingLines: values.queue === "" ? [] : [`max_queued_messages ${values.queue}`],
    sendingLines: values.queue === "" || !values.bridge ? [] : [`max_queued_messages ${values.queue}`],
    ...(values["takes-per-second"] === "" ? {} : { takesPerSecond: Number(values["takes-per-second"]) }),
  };
  const first = Number(values.seed);
  console.log(`seed ${first}, durability ${durability}, ${values.rate} messages per second`);
  const work = FAULTS.filter(({ name }) => names.includes(name)).flatMap((fault) =>
    Array.from({ length: Number(values.rounds) }, (_, at) => ({ fault, seed: first + at })),
  );
  let failed = false;
  const next = async (): Promise<void> => {
    for (let job = work.shift(); job !== undefined; job = work.shift()) {
      const result = await round(job.fault, job.seed, options);
      console.log(told(result));
      if (!job.fault.judged || result.outcome.lost.length === 0) continue;
      failed = true;
      console.log(`lost: ${result.outcome.lost.slice(0, 20).join(", ")}\n${result.tail}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values["at-once"]) }, next));
  process.exitCode = failed ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) await main();
