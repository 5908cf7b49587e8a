/** pino, set up once: JSON lines on stderr (stdout belongs to commands that print), secrets redacted whatever the caller passes. */
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger } from "pino";

export function createLogger(level: string, cluster: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { cluster },
      redact: {
        paths: ["password", "token", "*.password", "*.token", "*.key", "*.passphrase"],
        censor: "******",
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination(2),
  );
}
