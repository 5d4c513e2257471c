/**
 * A copy of plain data in which some objects stand in place of others. What is sealed inside stays
 * as it is: whatever is changed in it, its signature would be none any more.
 */
export function replaced<T extends object>(value: T, instead: ReadonlyMap<object, object>): T {
  // Only values of equal types are exchanged, and all else keeps its shape.
  return exchange(value, instead) as T;
}

function exchange(value: unknown, instead: ReadonlyMap<object, object>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const other = instead.get(value);
  if (other !== undefined) return other;
  if (ArrayBuffer.isView(value) || 'signature' in value) return value;
  if (Array.isArray(value)) {
    const parts = value.map((each) => exchange(each, instead));
    return parts.every((each, i) => each === value[i]) ? value : parts;
  }
  let changed = false;
  const parts = Object.entries(value).map(([name, each]): [string, unknown] => {
    const part = exchange(each, instead);
    changed ||= part !== each;
    return [name, part];
  });
  return changed ? Object.fromEntries(parts) : value;
}
