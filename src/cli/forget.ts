/**
 * `brokerlink forget`: removes what an agent left, its sessions on the local broker and its files. The broker comes first:
 * when it cannot be reached the files stay, so that what is left belongs together and the command can be given again.
 */
import { emqxClientIds } from "../agent/emqx-sessions.ts";
import { sessionClientId } from "../agent/local-broker.ts";
import { OWN_SESSIONS } from "../agent/local-broker-options.ts";
import { eraseSession } from "../agent/session-erasure.ts";
import { grouped } from "../config/formats.ts";
import { printable, quoted } from "../config/printable.ts";
import type { AgentConfig, LocalConfig } from "../config/types.ts";
import { AbandonedDir, type Leftover } from "../store/abandoned-dir.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** As commander hands them over. */
export interface ForgetOptions {
  readonly dryRun?: boolean;
  readonly diskOnly?: boolean;
}

const BROKER_WITHIN_MS = 10_000;

/** Resolves with the exit code. Rejects with a LinkError where the directory is in use, or of no use. */
export async function forget(
  config: AgentConfig,
  { dryRun = false, diskOnly = false }: ForgetOptions,
  { out, error }: Pick<Terminal, "out" | "error">,
): Promise<number> {
  const { local, dataDir } = config;
  const sessions = [...OWN_SESSIONS.map((name) => sessionClientId(local.clientid, name)), ...emqxClientIds(config)];
  if (diskOnly && dataDir === null) {
    error("CONFIG_INVALID: --disk-only, and there is no data_dir: nothing of this agent is on disk");
    return EXIT.config;
  }
  const verb = dryRun ? "would remove" : "removed";
  // The lock before the broker: a running agent must not lose its sessions.
  const dir = dataDir === null ? null : await AbandonedDir.open(dataDir, { onlyLook: dryRun });
  try {
    if (!diskOnly) {
      const failures = dryRun ? [] : await eraseSessions(local, sessions);
      for (const id of sessions.filter((each) => !failures.some((failure) => failure.id === each))) {
        out(`${verb} session ${sessionText(local, id)}`);
      }
      for (const { id, code, reason } of failures) error(`${code}: session ${sessionText(local, id)}: ${reason}`);
      if (failures.length > 0) {
        if (dir !== null) error(`Nothing in ${quoted(dir.path)} was touched; --disk-only removes it all the same.`);
        return EXIT.failed;
      }
    }
    if (dataDir !== null && dir === null) out(`nothing of an agent is in ${quoted(dataDir)}`);
    for (const leftover of dir?.leftovers() ?? []) {
      if (!dryRun) await dir?.remove(leftover);
      out(`${verb} ${leftoverText(leftover)} in ${quoted(dataDir ?? "")}`);
    }
    return EXIT.fine;
  } finally {
    dir?.close();
  }
}

async function eraseSessions(local: LocalConfig, sessions: readonly string[]) {
  const ends = sessions.map(async (id) => {
    const problem = await eraseSession(local, id, BROKER_WITHIN_MS);
    return problem === null ? [] : [{ id, code: problem.code, reason: problem.reason }];
  });
  return (await Promise.all(ends)).flat();
}

function sessionText(local: LocalConfig, id: string): string {
  return `${quoted(id)} at ${local.urls.map(printable).join(" or ")}`;
}

function leftoverText({ kind, link, files, bytes }: Leftover): string {
  if (kind === "lock") return "the lock";
  const what = kind === "journal" ? "the journal" : `the spool of link ${link}`;
  return `${what} (${files.length === 1 ? "1 file" : `${grouped(files.length)} files`}, ${grouped(bytes)} bytes)`;
}
