/**
 * What this agent's heartbeats say beside the mark: what does not work, and what becomes of backlogs. Knows what was said last,
 * and so whether there is something that should not wait for the next one.
 */
import type { BacklogWord, ControlBody, RoutesMark, Trouble } from "../wire/message.ts";

export const NO_TROUBLE: Trouble = { framesRefused: 0, unheard: false };
export const NO_BACKLOG: BacklogWord = { draining: false, percent: 100 };

export class Heartbeat {
  /** The reason code with which the broker on the way refuses our frames; 0: none. */
  framesRefused = 0;
  backlog = NO_BACKLOG;
  #trouble = NO_TROUBLE;
  #backlog = NO_BACKLOG;

  body(mark: RoutesMark, unheard: boolean): ControlBody {
    const { framesRefused, backlog } = this;
    this.#trouble = { framesRefused, unheard };
    this.#backlog = backlog;
    return {
      type: "heartbeat",
      mark,
      ...(unheard || framesRefused !== 0 ? { trouble: this.#trouble } : {}),
      ...(backlog.draining || backlog.percent !== NO_BACKLOG.percent ? { backlog } : {}),
    };
  }

  /** That a backlog is over can wait: it may be on the brink for a while. */
  hasNews(unheard: boolean): boolean {
    const { draining, percent } = this.backlog;
    return (
      this.framesRefused !== this.#trouble.framesRefused ||
      unheard !== this.#trouble.unheard ||
      percent !== this.#backlog.percent ||
      (draining && !this.#backlog.draining)
    );
  }
}
