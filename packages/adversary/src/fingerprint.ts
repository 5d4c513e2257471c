/** A short name of plain data: equal data has equal names, different data nearly never. */

const prime = 0x01000193;
/** Names have 64 bits in two halves: traitors compare some ten thousand messages of one run. */
const seeds: readonly [number, number] = [0x811c9dc5, 0x2545f491];

/**
 * A name that two values of plain data share only if they are equal, up to chance. The seal of a
 * message, the fields `from` and `signature` of `value` itself, does not count.
 */
export function fingerprint(value: object): string {
  const text: string[] = [];
  write(text, value, true);
  const all = text.join('');
  return seeds.map((seed) => hash(all, seed).toString(16).padStart(8, '0')).join('');
}

function hash(text: string, seed: number): number {
  let out = seed;
  for (let i = 0; i < text.length; i++) out = Math.imul(out ^ text.charCodeAt(i), prime);
  return out >>> 0;
}

function write(to: string[], value: unknown, isSealed: boolean): void {
  if (typeof value !== 'object' || value === null) {
    to.push(typeof value, ' ', String(value), ';');
    return;
  }
  if (value instanceof Uint8Array) {
    to.push('bytes ', value.join(), ';');
    return;
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value).sort(byName);
  to.push(Array.isArray(value) ? '[' : '{');
  for (const [name, part] of entries) {
    if (isSealed && (name === 'from' || name === 'signature')) continue;
    to.push(String(name), ':');
    write(to, part, false);
  }
  to.push('}');
}

const byName = ([one]: [string, unknown], [two]: [string, unknown]): number =>
  one < two ? -1 : one > two ? 1 : 0;
