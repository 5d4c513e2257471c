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
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    for (const [key, each] of value) map.set(key, copied(each));
    return map;
  }
  if (value instanceof Set) return new Set([...value].map(copied));
  if ('kind' in value || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return value.map(copied);
  // Made at every fork and snapshot: a list of pairs in between would take three times as long.
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) out[key] = copied(value[key as keyof typeof value]);
  return out;
}

/** Freezes a message and everything in it, so that sharing it between replicas is safe. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
  return value;
}
