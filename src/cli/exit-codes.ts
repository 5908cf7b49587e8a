/** How the process ends, after sysexits.h. */
export const EXIT = {
  fine: 0,
  failed: 1,
  usage: 64,
  config: 78,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0   fine
  1   failed
  64  bad usage
  78  bad configuration`;
