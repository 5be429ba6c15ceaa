/*
 * What a mapping is given for the text of a value: numbers for `int2`, `int4`, `oid`, `float4` and `float8`, a bigint for
 * `int8`, booleans for `bool`, what is in it for `json` and `jsonb`, and Postgres's own text for everything else (dates in
 * ISO form, instants in UTC). A key or a text has the same label made of 42, of 42n and of '42'.
 *
 * The parsers of `pg` are not asked: they are one list for the whole process, which an application may alter, and give dates
 * in the zone of the machine.
 */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'],
  [20, BigInt],
  [21, Number],
  [23, Number],
  [26, Number],
  [114, JSON.parse],
  [700, Number],
  [701, Number],
  [3802, JSON.parse],
]);

/**
 * How a column's values are read.
 *
 * @param type its type's object id
 */
export function valueParser(type: number): (text: string) => unknown {
  return PARSERS.get(type) ?? ((text) => text);
}

/** What a session has to say before it sends values, so that their texts do not depend on how roles or databases are set. */
export const VALUE_SETTINGS =
  "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'";
