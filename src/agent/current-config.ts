/**
 * The configuration in force, behind one object that outlives every change of it: whoever is handed it sees the present
 * values. Of the local broker only what proves who we are changes; its sessions ask for that before each connection.
 */
import type { AgentConfig, HttpConfig, LinkConfig, LocalConfig, SpoolConfig } from "../config/types.ts";

export class CurrentConfig implements AgentConfig {
  readonly local: LocalConfig;
  #now: AgentConfig;

  constructor(config: AgentConfig) {
    this.#now = config;
    const current = (): LocalConfig => this.#now.local;
    this.local = {
      ...config.local,
      get password() {
        return current().password;
      },
      get tls() {
        return current().tls;
      },
      get api() {
        return current().api;
      },
    };
  }

  get now(): AgentConfig {
    return this.#now;
  }

  change(next: AgentConfig): void {
    this.#now = next;
  }

  get cluster(): string {
    return this.#now.cluster;
  }

  get controlPrefix(): string {
    return this.#now.controlPrefix;
  }

  get dataDir(): string | null {
    return this.#now.dataDir;
  }

  get links(): readonly LinkConfig[] {
    return this.#now.links;
  }

  get spool(): SpoolConfig {
    return this.#now.spool;
  }

  get http(): HttpConfig {
    return this.#now.http;
  }

  get logLevel(): AgentConfig["logLevel"] {
    return this.#now.logLevel;
  }
}
