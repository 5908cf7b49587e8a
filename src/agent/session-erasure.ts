/**
 * Makes the local broker forget one session: a connection that begins it anew and keeps nothing. Whoever holds the session at
 * that moment loses it.
 */
import type { LocalConfig } from "../config/types.ts";
import { MqttSession, type SessionProblem } from "../mqtt/session.ts";

const KEEP_ALIVE_SECONDS = 20;

/** Why it did not work. */
export type ErasureProblem = Pick<SessionProblem, "code" | "reason">;

/** Resolves with null when the session is gone, at the latest after `withinMs` and the goodbye. */
export function eraseSession(local: LocalConfig, clientId: string, withinMs: number): Promise<ErasureProblem | null> {
  return new Promise((resolve) => {
    let last: ErasureProblem = { code: "LOCAL_UNREACHABLE", reason: `no answer within ${withinMs / 1_000} s` };
    const endMs = performance.now() + withinMs;
    const end = (problem: ErasureProblem | null): void => {
      clearTimeout(timer);
      void session.stop(0).then(() => resolve(problem));
    };
    const timer = setTimeout(() => end(last), withinMs);
    const session = new MqttSession(
      {
        endpoint: local,
        side: "local",
        clientId,
        session: { cleanStart: "always", expirySeconds: 0 },
        will: () => null,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        bridge: false,
        ackByPing: false,
        random: Math.random,
      },
      {
        connected: () => end(null),
        disconnected: (problem) => {
          last = problem;
          // What a person has to mend first is tried again much later: nothing is won by waiting here.
          if (performance.now() + problem.willRetryInMs >= endMs) end(problem);
        },
        message: () => {},
      },
    );
    session.start();
  });
}
