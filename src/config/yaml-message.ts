/**
 * What the YAML parser's complaints mean, in words of ours: its own messages repeat the text they stumble over, and that
 * may be a password without quotes.
 */
import type { ErrorCode } from "yaml";

const SENTENCES: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "an alias (*) takes no anchor and no tag",
  BAD_ALIAS: "an alias (*) has no name, or a bad one; a text that begins with * needs quotes",
  BAD_COLLECTION_TYPE: "a tag (!) does not fit its value; a text that begins with ! needs quotes",
  BAD_DIRECTIVE: "a directive (%) is bad or unknown; a text that begins with % needs quotes",
  BAD_DQ_ESCAPE: "a text in double quotes has a bad escape: write \\\\ for \\, or take single quotes",
  BAD_INDENT: 'a value is not indented enough, or a bracket is not closed; "#" needs quotes, or a comment begins there',
  BAD_PROP_ORDER: "an anchor (&) or a tag (!) is in the wrong place; a text that begins so needs quotes",
  BAD_SCALAR_START: "a text begins with a character that YAML reserves: it needs quotes",
  BLOCK_AS_IMPLICIT_KEY: 'the indentation is wrong, or a text with ": " in it needs quotes',
  BLOCK_IN_FLOW: "an indented group or list stands within brackets",
  DUPLICATE_KEY: "a key is given twice",
  IMPOSSIBLE: "a value is not understood",
  KEY_OVER_1024_CHARS: "a key is longer than 1,024 characters",
  MISSING_CHAR: "a quote, a comma, a colon or a space is missing",
  MULTILINE_IMPLICIT_KEY: "a key has no colon behind it, or goes over several lines",
  MULTIPLE_ANCHORS: "a value has two anchors (&); a text that begins with & needs quotes",
  MULTIPLE_DOCS: "there is more than one document: only one is taken",
  MULTIPLE_TAGS: "a value has two tags (!); a text that begins with ! needs quotes",
  NON_STRING_KEY: "a key is no text",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  TAB_AS_INDENT: "a tab indents the line: YAML takes only spaces",
  TAG_RESOLVE_FAILED: "a tag (!) is unknown: only plain values are taken; a text that begins with ! needs quotes",
  UNEXPECTED_TOKEN: "something stands where nothing can; a text with special characters needs quotes",
};

/** A sentence without its subject. */
export function yamlMessage(code: ErrorCode): string {
  return `is neither YAML nor JSON: ${Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : SENTENCES.IMPOSSIBLE}`;
}
