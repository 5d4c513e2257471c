/**
 * A deep copy of plain state: maps, sets, arrays and objects are copied, messages (anything with a
 * `kind`), byte strings and frozen values are shared, because nobody may change them.
 */
export function copy<T>(value: T): T {
  // The result has the type of the argument, branch by branch; TypeScript cannot follow that.
  return copied(value) as T;
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return value;
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, copied(each)]));
  if (value instanceof Set) return new Set([...value].map(copied));
  if (Object.isFrozen(value) || 'kind' in value) return value;
  if (Array.isArray(value)) return value.map(copied);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copied(each)]));
}

/** Freezes a message and everything in it, so that sharing it between replicas is safe. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
  return value;
}
