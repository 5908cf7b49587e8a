/** A logger whose lines a test reads. */
import { createLogger, type Logger } from "../../src/ops/log.ts";

export interface LogLines {
  readonly log: Logger;
  /** As written. */
  readonly texts: string[];
  /** Parsed, without time. */
  lines(): Record<string, unknown>[];
}

export function logLines(level = "info"): LogLines {
  const texts: string[] = [];
  const log = createLogger(level, "west", { write: (text: string) => void texts.push(text) });
  return {
    log,
    texts,
    lines: () =>
      texts.map((text) => {
        const { time: _time, cluster: _cluster, ...fields } = JSON.parse(text) as Record<string, unknown>;
        return fields;
      }),
  };
}
