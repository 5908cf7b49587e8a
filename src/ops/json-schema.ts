/** The few forms of JSON Schema (2020-12, as OpenAPI 3.1 takes it) that describe our answers. */

export type JsonSchema = Readonly<Record<string, unknown>>;

export const TEXT: JsonSchema = { type: "string" };
export const FLAG: JsonSchema = { type: "boolean" };
export const COUNT: JsonSchema = { type: "integer", minimum: 0 };
export const AMOUNT: JsonSchema = { type: "number", minimum: 0 };
export const TIME: JsonSchema = { type: "string", format: "date-time" };
/** As EMQX writes it. */
export const DURATION: JsonSchema = { type: "string", examples: ["15s"] };

/** Exactly these keys; those in `optional` may be absent. */
export function object(properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((key) => !optional.includes(key));
  return { type: "object", properties, required, additionalProperties: false };
}

export function list(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

export function oneOf(...words: readonly string[]): JsonSchema {
  return { type: "string", enum: words };
}

export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "null" }] };
}

export function said(schema: JsonSchema, description: string): JsonSchema {
  return { ...schema, description };
}

/** One of the document's schemas by its name. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}
