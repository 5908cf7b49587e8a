/** A configuration in a folder of its own, read again and again, and an agent that takes what it is given or says why not. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ConfigReload } from "../../src/agent/config-reload.ts";
import { CurrentConfig } from "../../src/agent/current-config.ts";
import { FileLinkEditor } from "../../src/agent/file-link-editor.ts";
import type { ReconfigureResult } from "../../src/agent/reconfiguration.ts";
import { WatchedFiles } from "../../src/agent/watched-files.ts";
import { configDiff } from "../../src/config/config-diff.ts";
import { type ConfigOrigin, ConfigSource } from "../../src/config/config-source.ts";
import type { AgentConfig } from "../../src/config/types.ts";
import { Reloads } from "../../src/ops/reloads.ts";
import { logLines } from "../ops/log-lines.ts";

export const CONFIG = `# keep me
cluster: a
local: { server: "mqtt://127.0.0.1:1", broker: mosquitto }
links:
  - name: b
    topics: [t]
`;

export class ReloadRig {
  readonly dir = mkdtempSync(join(tmpdir(), "brokerlink-reload-"));
  readonly file = join(this.dir, "config.yaml");
  readonly config: CurrentConfig;
  readonly reload: ConfigReload;
  readonly editor: FileLinkEditor;
  readonly reloads = new Reloads(0);
  readonly logged = logLines();
  /** Configurations given to the agent. */
  readonly given: AgentConfig[] = [];
  /** Null: it takes them. */
  refuses: string | null = null;

  private constructor(text: string | null, origin: Partial<ConfigOrigin>, files: WatchedFiles) {
    if (text !== null) writeFileSync(this.file, text);
    const source = new ConfigSource({
      path: text === null ? undefined : this.file,
      env: {},
      flags: {},
      readFile: (path) => readFileSync(path, "utf8"),
      pathKind: (path) => (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? "directory" : null),
      ...origin,
    });
    const loaded = source.load();
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    this.config = new CurrentConfig(loaded.config);
    const reconfigure = async (next: AgentConfig): Promise<ReconfigureResult> => {
      this.given.push(next);
      if (this.refuses !== null) return { ok: false, code: "DATA_DIR_UNUSABLE", message: this.refuses };
      const diff = configDiff(this.config.now, next);
      this.config.change(next);
      return { ok: true, diff };
    };
    this.reload = new ConfigReload(source, { reconfigure }, this.logged.log, this.reloads, files, 5);
    this.editor = new FileLinkEditor(this.reload, this.config);
  }

  /** `watches`: looks at the files, every few milliseconds. `text` null: no file. */
  static async open(
    t: TestContext,
    { text = CONFIG as string | null, origin = {} as Partial<ConfigOrigin>, watches = false, files = {} } = {},
  ): Promise<ReloadRig> {
    const watched = new WatchedFiles();
    const rig = new ReloadRig(text, origin, watched);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(rig.dir, name), `${content}`);
    await watched.know(rig.reload.source.files);
    if (watches) rig.reload.start();
    t.after(async () => {
      await rig.reload.stop();
      rmSync(rig.dir, { recursive: true });
    });
    return rig;
  }

  get topics(): unknown {
    return this.config.links.map(({ name, topics }) => [name, ...topics]);
  }

  /** Messages of the log, with their codes. */
  get said(): string[] {
    return this.logged.lines().map(({ code, msg }) => (code === undefined ? `${msg}` : `${code} ${msg}`));
  }

  /** Waits until the files have been looked at so often. */
  async looks(count: number): Promise<void> {
    for (let look = 0; look < count; look += 1) {
      await new Promise((again) => setTimeout(again, 6));
      await this.reload.inTurn(async () => {});
    }
  }
}
