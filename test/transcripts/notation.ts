/** Messages as the papers write them: ⟨PREPARE v=0 n=1 d=3f2a⟩. */
import { fromUtf8, type Request } from '@quorumlab/core';

/** The papers' letters for names that they abbreviate. */
const letters: Readonly<Record<string, string>> = { view: 'v', sequence: 'n', digest: 'd' };

/** What a client asked for. */
export const textOf = ({ operations }: Request): string =>
  operations.map(fromUtf8).join('+') || 'nothing';

/** A message, without who signed it. */
export function notation(message: { readonly kind: string }): string {
  const { kind, from: _, signature: __, ...parts } = message as Readonly<Record<string, unknown>>;
  const fields = Object.entries(parts).map(
    ([name, value]) => `${letters[name] ?? name}=${shown(value)}`,
  );
  return `⟨${[String(kind).toUpperCase(), ...fields].join(' ')}⟩`;
}

function shown(value: unknown): string {
  if (value === null) return '-';
  if (typeof value === 'string') return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 4) : value;
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  if ('operations' in value) return textOf(value as Request);
  if ('body' in value && 'seals' in value) {
    const seals = value.seals as readonly { readonly from: number }[];
    const by = seals.map(({ from }) => from).join();
    return `${notation(value.body as { readonly kind: string })} by ${by}`;
  }
  if ('kind' in value) return notation(value as { readonly kind: string });
  const parts = Object.entries(value).map(
    ([name, each]) => `${letters[name] ?? name}=${shown(each)}`,
  );
  return `(${parts.join(' ')})`;
}
