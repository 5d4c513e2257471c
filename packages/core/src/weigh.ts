/**
 * About how many bytes `value`, plain data such as a message or a write, takes when it is encoded.
 * Never less for bytes, numbers and ASCII text, and cheap enough to be asked in every step.
 */
export function weigh(value: unknown): number {
  if (typeof value === 'number') return 7;
  if (typeof value === 'string') return value.length + 7;
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Uint8Array) return value.length + 7;
  let sum = 7;
  if (Array.isArray(value)) for (let i = 0; i < value.length; i++) sum += weigh(value[i]);
  else if (value instanceof Map) for (const [key, each] of value) sum += weigh(key) + weigh(each);
  else {
    // Named parts of plain data: looking them up by name needs no list of them.
    const parts = value as Readonly<Record<string, unknown>>;
    for (const name in parts) sum += weigh(parts[name]);
  }
  return sum;
}
