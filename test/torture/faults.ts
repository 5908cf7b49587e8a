/** The faults, each with what it does to a pair of clusters and for how long. `quick` ones fit into CI three times. */
import type { Prng } from "../sim/prng.ts";
import type { TorturePair } from "./torture-pair.ts";

export interface Fault {
  readonly name: string;
  readonly what: string;
  /** How long the disturbance itself lasts, about. */
  readonly lastsMs: number;
  /** After a plain cut nothing may come twice. */
  readonly duplicates: "none" | "some";
  /** A broker killed by -9 forgets what it had accepted: reported, not judged. */
  readonly judged: boolean;
  act(pair: TorturePair, random: Prng): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

export const FAULTS: readonly Fault[] = [
  {
    name: "none",
    what: "nothing happens",
    lastsMs: 2_000,
    duplicates: "none",
    judged: true,
    act: () => pause(2_000),
  },
  {
    name: "kill-sender",
    what: "the sending agent is killed and started again, three times",
    lastsMs: 6_000,
    duplicates: "some",
    judged: true,
    act: (pair, random) => repeat(3, () => pair.killAgents(["b"], random.int(0, 800))),
  },
  {
    name: "kill-receiver",
    what: "the receiving agent is killed and started again, three times",
    lastsMs: 6_000,
    duplicates: "some",
    judged: true,
    act: (pair, random) => repeat(3, () => pair.killAgents(["a"], random.int(0, 800))),
  },
  {
    name: "kill-both",
    what: "both agents are killed at one moment and started again, three times",
    lastsMs: 6_000,
    duplicates: "some",
    judged: true,
    act: (pair, random) => repeat(3, () => pair.killAgents(["a", "b"], random.int(0, 800))),
  },
  {
    name: "kill-sender-in-cut",
    what: "the link is cut for 8 s, and the sending agent killed five times meanwhile",
    lastsMs: 8_000,
    duplicates: "some",
    judged: true,
    act: async (pair, random) => {
      const cutting = pair.disturb("link", { cut: true }, 8_000);
      await repeat(5, () => pair.killAgents(["b"], random.int(0, 300)));
      await cutting;
    },
  },
  {
    name: "stop-sender",
    what: "the sending agent is stopped in order and started again",
    lastsMs: 3_000,
    duplicates: "none",
    judged: true,
    act: (pair) => pair.restartAgent("b"),
  },
  {
    name: "restart-sending-broker",
    what: "the sending broker is restarted in order",
    lastsMs: 3_000,
    duplicates: "some",
    judged: true,
    act: (pair) => pair.restartBroker("b", "SIGTERM"),
  },
  {
    name: "restart-receiving-broker",
    what: "the receiving broker is restarted in order",
    lastsMs: 3_000,
    duplicates: "some",
    judged: true,
    act: (pair) => pair.restartBroker("a", "SIGTERM"),
  },
  {
    name: "kill-sending-broker",
    what: "the sending broker is killed",
    lastsMs: 3_000,
    duplicates: "some",
    judged: false,
    act: (pair) => pair.restartBroker("b", "SIGKILL"),
  },
  cut("cut-1s", 1_000),
  cut("cut-5s", 5_000),
  cut("cut-20s", 20_000),
  cut("cut-30s", 30_000),
  cut("cut-75s", 75_000),
  cut("cut-5min", 300_000),
  {
    name: "black-hole",
    what: "the link passes nothing for 40 s, and nobody is told",
    lastsMs: 40_000,
    duplicates: "none",
    judged: true,
    act: (pair) => pair.disturb("link", { hole: ["up", "down"] }, 40_000),
  },
  {
    name: "one-way",
    what: "for 30 s nothing comes back on the link",
    lastsMs: 30_000,
    duplicates: "some",
    judged: true,
    act: (pair) => pair.disturb("link", { hole: ["down"] }, 30_000),
  },
  {
    name: "slow-line",
    what: "200 ms each way and 200 kB/s for 10 s",
    lastsMs: 10_000,
    duplicates: "none",
    judged: true,
    act: (pair) => pair.disturb("link", { delayMs: 200, bytesPerSecond: 200_000 }, 10_000),
  },
  {
    name: "flapping",
    what: "the link is cut each second, for 15 s",
    lastsMs: 15_000,
    duplicates: "none",
    judged: true,
    act: (pair) =>
      repeat(15, async () => {
        await pair.disturb("link", { cut: true }, 300);
        await pause(700);
      }),
  },
  {
    name: "local-cut",
    what: "the sending agent is cut from its own broker for 5 s",
    lastsMs: 5_000,
    duplicates: "none",
    judged: true,
    act: (pair) => pair.disturb("b", { cut: true }, 5_000),
  },
  {
    name: "local-cut-receiver",
    what: "the receiving agent is cut from its own broker for 5 s",
    lastsMs: 5_000,
    duplicates: "some",
    judged: true,
    act: (pair) => pair.disturb("a", { cut: true }, 5_000),
  },
  {
    name: "freeze-receiver",
    what: "the receiving agent is stopped by SIGSTOP for 45 s",
    lastsMs: 45_000,
    duplicates: "some",
    judged: true,
    act: (pair) => pair.freezeAgent("a", 45_000),
  },
  {
    name: "disk-full",
    what: "the sending agent's disk is full for 20 s, with the link cut",
    lastsMs: 20_000,
    duplicates: "some",
    judged: true,
    act: (pair) => pair.fillDisk(20_000),
  },
];

function cut(name: string, lastsMs: number): Fault {
  return {
    name,
    what: `the link is cut for ${lastsMs / 1_000} s`,
    lastsMs,
    duplicates: "none",
    judged: true,
    act: (pair) => pair.disturb("link", { cut: true }, lastsMs),
  };
}

async function repeat(times: number, act: () => Promise<void>): Promise<void> {
  for (let time = 0; time < times; time += 1) await act();
}
