/**
 * What all actors of an EMQX cluster want, as one set of routes: how many of their identifiers stand behind each filter, and
 * of which groups. Filters that no agent could take are left out, deep ones widened. Pure; knows nothing of actors or time.
 */
import type { Digest } from "../base/digest.ts";
import { DigestedRoutes, ROUTE_GROUPS_MAX } from "../route/digested-routes.ts";
import type { Route, RouteOp } from "../route/route.ts";
import { canonical, filterProblem, isReserved, widenDeep } from "../topic/filter.ts";

const PLAIN: readonly string[] = [];

interface Sources {
  plain: number;
  readonly groups: Map<string, number>;
}

export class RemoteRoutes {
  readonly #routes = new DigestedRoutes();
  readonly #sources = new Map<string, Sources>();
  #ops: RouteOp[] = [];

  get size(): number {
    return this.#routes.size;
  }

  get digest(): Digest {
    return this.#routes.digest;
  }

  routes(): Iterable<Route> {
    return this.#routes.routes();
  }

  /** One more identifier asks for the topic. Answers false, and counts nothing, when it is no filter of a route. */
  add(topic: string, group: string | null): boolean {
    const filter = usable(topic);
    if (filter === null) return false;
    let sources = this.#sources.get(filter);
    if (sources === undefined) {
      sources = { plain: 0, groups: new Map() };
      this.#sources.set(filter, sources);
    }
    if (group === null) sources.plain += 1;
    else sources.groups.set(group, (sources.groups.get(group) ?? 0) + 1);
    this.#update(filter, sources);
    return true;
  }

  /** One that was added goes. */
  remove(topic: string, group: string | null): void {
    const filter = usable(topic);
    const sources = filter === null ? undefined : this.#sources.get(filter);
    if (filter === null || sources === undefined) return;
    if (group === null) sources.plain -= 1;
    else {
      const left = (sources.groups.get(group) ?? 0) - 1;
      if (left > 0) sources.groups.set(group, left);
      else sources.groups.delete(group);
    }
    this.#update(filter, sources);
  }

  /** What changed since the last call: adds before deletes, so that nothing wanted before and after is ever without a route. */
  takeOps(): RouteOp[] {
    const last = new Map(this.#ops.map((op) => [op.filter, op]));
    this.#ops = [];
    const ops = [...last.values()];
    return [...ops.filter(({ op }) => op === "add"), ...ops.filter(({ op }) => op === "delete")];
  }

  #update(filter: string, sources: Sources): void {
    if (sources.plain === 0 && sources.groups.size === 0) {
      this.#sources.delete(filter);
      this.#routes.delete(filter);
      this.#ops.push({ op: "delete", filter });
      return;
    }
    const groups = shownGroups(sources);
    const before = this.#routes.groups(filter);
    if (before !== undefined && before.join("/") === groups.join("/")) return;
    this.#routes.set(filter, groups);
    this.#ops.push({ op: "add", filter, groups });
  }
}

/** None where one subscriber is a plain one, or more than a route can name. */
function shownGroups({ plain, groups }: Sources): readonly string[] {
  if (plain > 0 || groups.size > ROUTE_GROUPS_MAX) return PLAIN;
  const names = [...groups.keys()].sort();
  return names.every((group) => filterProblem(`$share/${group}/x`) === null) ? names : PLAIN;
}

function usable(topic: string): string | null {
  if (isReserved(topic)) return null;
  const filter = canonical(widenDeep(topic));
  return filterProblem(filter) === null ? filter : null;
}
