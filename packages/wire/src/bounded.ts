/** A map that never holds more than about `limit` entries. */
export interface BoundedMap<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  readonly size: number;
}

/**
 * Two generations of half the limit: when the young one is full the old one is forgotten whole, and
 * what is asked for becomes young again. Forgetting costs nothing per entry, and an entry in use
 * survives a flood of others.
 */
export function boundedMap<K, V>(limit: number): BoundedMap<K, V> {
  const half = Math.max(1, Math.floor(limit / 2));
  let young = new Map<K, V>();
  let old = new Map<K, V>();
  function set(key: K, value: V): void {
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }
  return {
    get(key) {
      const found = young.get(key);
      if (found !== undefined) return found;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
    set,
    get size() {
      return young.size + old.size;
    },
  };
}
