/**
 * One link more, less or changed in the text of a configuration file. In YAML the comments stay, those inside a link too
 * where its keys do; JSON stays JSON, with its indentation. What comes out is not checked here.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { quoted } from "./printable.ts";
import { isTree } from "./tree.ts";

/** As our API, and EMQX's, shows a secret. */
const SECRET_KEPT = "******";

type Link = Readonly<Record<string, unknown>>;

export type LinkEdit =
  | { readonly kind: "create"; readonly link: Link }
  /** The whole new value. */
  | { readonly kind: "update"; readonly name: string; readonly link: Link }
  | { readonly kind: "remove"; readonly name: string };

export type EditedText =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false;
      readonly code: "NOT_FOUND" | "ALREADY_EXISTS" | "BAD_REQUEST";
      readonly message: string;
    };

export function editLinks(text: string, edit: LinkEdit): EditedText {
  if (edit.kind !== "remove" && typeof edit.link["name"] !== "string")
    return { ok: false, code: "BAD_REQUEST", message: "name is missing" };
  const json = parsedJson(text);
  return json === null ? editYaml(text, edit) : editJson(text, json, edit);
}

/** Where the link stands, and what it becomes; null: it goes. */
type Placed =
  | { readonly ok: true; readonly index: number; readonly link: Link | null }
  | Extract<EditedText, { ok: false }>;

function place(links: readonly unknown[], edit: LinkEdit): Placed {
  const indexOf = (name: unknown): number => links.findIndex((link) => isTree(link) && link["name"] === name);
  if (edit.kind === "create") {
    const { name } = edit.link;
    if (indexOf(name) >= 0)
      return { ok: false, code: "ALREADY_EXISTS", message: `there is a link ${quoted(String(name))} already` };
    const link = withSecrets(edit.link, {});
    return "problem" in link
      ? { ok: false, code: "BAD_REQUEST", message: link.problem }
      : { ok: true, index: links.length, link: link.value };
  }
  const index = indexOf(edit.name);
  if (index < 0) return { ok: false, code: "NOT_FOUND", message: `there is no link ${quoted(edit.name)}` };
  if (edit.kind === "remove") return { ok: true, index, link: null };
  if (edit.link["name"] !== edit.name)
    return { ok: false, code: "BAD_REQUEST", message: "a link cannot get another name: remove it and add another" };
  const before = links[index];
  const link = withSecrets(edit.link, isTree(before) ? before : {});
  return "problem" in link
    ? { ok: false, code: "BAD_REQUEST", message: link.problem }
    : { ok: true, index, link: link.value };
}

type WithSecrets = { readonly value: Link } | { readonly problem: string };

/** What was shown as asterisks is as it was, or as its `_file` says. */
function withSecrets(link: Link, before: Link): WithSecrets {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(link)) {
    const earlier = Object.hasOwn(before, key) ? before[key] : undefined;
    const file = `${key}_file`;
    if (isTree(value)) {
      const inner = withSecrets(value, isTree(earlier) ? earlier : {});
      if ("problem" in inner) return { problem: `${key}.${inner.problem}` };
      result[key] = inner.value;
    } else if (value !== SECRET_KEPT) result[key] = value;
    else if (earlier !== undefined) result[key] = earlier;
    else if (Object.hasOwn(before, file)) result[file] ??= before[file];
    else return { problem: `${key} is ${SECRET_KEPT}, and there is none that could be kept` };
  }
  return { value: result };
}

// ── JSON ───────────────────────────────────────────────────────────────────────────────────────────

function parsedJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isTree(value) ? value : null;
  } catch {
    return null;
  }
}

function editJson(text: string, root: Record<string, unknown>, edit: LinkEdit): EditedText {
  const before = root["links"] ?? [];
  if (!Array.isArray(before)) return notAList();
  const placed = place(before, edit);
  if (!placed.ok) return placed;
  const links = [...before];
  links.splice(placed.index, 1, ...(placed.link === null ? [] : [placed.link]));
  const indent = /\n([ \t]+)/.exec(text)?.[1] ?? "";
  const end = /\n$/.test(text) ? "\n" : "";
  return { ok: true, text: JSON.stringify({ ...root, links }, null, indent) + end };
}

// ── YAML ───────────────────────────────────────────────────────────────────────────────────────────

function editYaml(text: string, edit: LinkEdit): EditedText {
  const document = parseDocument(text, { stringKeys: true, uniqueKeys: false, resolveKnownTags: false });
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  if (document.errors.length > 0 || !(isEmpty || isMap(contents)))
    return { ok: false, code: "BAD_REQUEST", message: "the configuration file has mistakes: see brokerlink check" };
  const root: unknown = document.toJS();
  const plain = isTree(root) ? (root["links"] ?? []) : [];
  const node = isMap(contents) ? contents.get("links", true) : undefined;
  const isUnset = node === undefined || node === null || (isScalar(node) && node.value === null);
  if (!Array.isArray(plain) || !(isUnset || isSeq(node))) return notAList();
  const placed = place(plain, edit);
  if (!placed.ok) return placed;
  if (isSeq(node)) putInto(document, node, placed.index, placed.link);
  else document.set("links", document.createNode(placed.link === null ? [] : [placed.link]));
  const lines = document.toString({
    lineWidth: 0,
    indent: indentOf(text),
    indentSeq: !/^links:[^\n]*\r?\n-/m.test(text),
  });
  return { ok: true, text: text.includes("\r\n") ? lines.replaceAll("\n", "\r\n") : lines };
}

function putInto(document: Document, links: YAMLSeq, index: number, link: Link | null): void {
  const item = links.items[index];
  if (link === null) links.items.splice(index, 1);
  else if (isMap(item)) merge(document, item, link);
  else links.items[index] = document.createNode(link);
}

/** Only what differs is touched: comments stand beside the rest. */
function merge(document: Document, map: YAMLMap, value: Link): void {
  const keyOf = ({ key }: { readonly key: unknown }): string => `${isScalar(key) ? key.value : key}`;
  map.items = map.items.filter((pair) => Object.hasOwn(value, keyOf(pair)));
  for (const [key, next] of Object.entries(value)) {
    const pair = map.items.find((each) => keyOf(each) === key);
    if (pair === undefined) map.set(key, document.createNode(next));
    else if (isMap(pair.value) && isTree(next)) merge(document, pair.value, next);
    else pair.value = replaced(document, pair.value, next);
  }
}

function replaced(document: Document, before: unknown, next: unknown): unknown {
  const isNothing = before === null || before === undefined;
  if (isNode(before) && !isAlias(before) && JSON.stringify(before.toJS(document)) === JSON.stringify(next))
    return before;
  const node = document.createNode(next);
  if (isNothing || !isNode(before) || isAlias(before)) return node;
  node.comment = before.comment ?? null;
  node.commentBefore = before.commentBefore ?? null;
  if (isSeq(before) && isSeq(node)) node.flow = before.flow === true;
  return node;
}

/** Of the first line that is further in than the one before; two columns where there is none. */
function indentOf(text: string): number {
  return /^[^\s#-][^\n]*:[^\n]*\n( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
}

function notAList(): EditedText {
  return {
    ok: false,
    code: "BAD_REQUEST",
    message: "links in the configuration file is not a plain list: change it by hand",
  };
}
