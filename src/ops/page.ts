/** Pages of a long list, as EMQX's API numbers them: from 1, `limit` rows each. */

/** As EMQX. */
export const LIMIT_MAX = 10_000;
const LIMIT_DEFAULT = 100;
const PAGE_MAX = 1_000_000_000;

export interface PageQuery {
  readonly page: number;
  readonly limit: number;
}

export interface PageMeta extends PageQuery {
  /** Rows on all pages, as far as the table was looked through. */
  readonly count: number;
  readonly hasnext: boolean;
  /** The table is larger than one request may look through. */
  readonly cut: boolean;
}

export type PageQueryResult =
  | { readonly ok: true; readonly query: PageQuery }
  | { readonly ok: false; readonly message: string };

/** Takes the query parameters `page` and `limit`; undefined: not given. */
export function pageQuery(page: string | undefined, limit: string | undefined): PageQueryResult {
  const pageNumber = page === undefined ? 1 : wholeNumber(page);
  if (pageNumber === null || pageNumber < 1 || pageNumber > PAGE_MAX)
    return { ok: false, message: `page: expected a whole number from 1 to ${PAGE_MAX}` };
  const limitNumber = limit === undefined ? LIMIT_DEFAULT : wholeNumber(limit);
  if (limitNumber === null || limitNumber < 1 || limitNumber > LIMIT_MAX)
    return { ok: false, message: `limit: expected a whole number from 1 to ${LIMIT_MAX}` };
  return { ok: true, query: { page: pageNumber, limit: limitNumber } };
}

/** Collects the rows of one page out of all that are shown to it, and counts the others. */
export class PageRows<T> {
  readonly rows: T[] = [];
  readonly #query: PageQuery;
  #count = 0;

  constructor(query: PageQuery) {
    this.#query = query;
  }

  /** `row` is made only where it is shown. */
  add(row: () => T): void {
    const first = (this.#query.page - 1) * this.#query.limit;
    if (this.#count >= first && this.#count < first + this.#query.limit) this.rows.push(row());
    this.#count += 1;
  }

  meta(cut: boolean): PageMeta {
    const { page, limit } = this.#query;
    return { page, limit, count: this.#count, hasnext: page * limit < this.#count, cut };
  }
}

function wholeNumber(text: string): number | null {
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}
