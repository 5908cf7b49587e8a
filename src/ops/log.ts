/** pino, set up once: JSON lines on stderr (stdout belongs to commands that print), secrets redacted whatever the caller passes. */
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger } from "pino";

const SECRET_KEYS = ["password", "token", "key", "passphrase", "authorization"] as const;

export function createLogger(level: string, cluster: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { cluster },
      // A whole configuration has its secrets three objects deep.
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`]),
        censor: "******",
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination(2),
  );
}
