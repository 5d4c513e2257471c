/**
 * Whether two pieces of plain state are the same, whatever objects they are made of. Parts of the
 * name `except` may differ.
 */
export function alike(one: unknown, other: unknown, except?: string): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return Number.isNaN(one) && Number.isNaN(other);
  if (one instanceof Map)
    return other instanceof Map && one.size === other.size && sameEntries(one, other, except);
  if (one instanceof Set)
    return (
      other instanceof Set && one.size === other.size && sameOrder([...one], [...other], except)
    );
  if (Array.isArray(one) || one instanceof Uint8Array) return sameOrder(one, other, except);
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every(
      (key) =>
        key === except ||
        (key in other &&
          alike(one[key as keyof typeof one], other[key as keyof typeof other], except)),
    )
  );
}

/** Entries are compared in their order too: who came first is part of the state. */
function sameEntries(
  one: ReadonlyMap<unknown, unknown>,
  other: typeof one,
  except: string | undefined,
): boolean {
  const left = other.entries();
  for (const [key, value] of one) {
    const [otherKey, otherValue] = left.next().value ?? [];
    if (!alike(key, otherKey) || !alike(value, otherValue, except)) return false;
  }
  return true;
}

function sameOrder(one: ArrayLike<unknown>, other: object, except: string | undefined): boolean {
  const list = other as ArrayLike<unknown>;
  if (one.length !== list.length) return false;
  for (let i = 0; i < one.length; i++) if (!alike(one[i], list[i], except)) return false;
  return true;
}
