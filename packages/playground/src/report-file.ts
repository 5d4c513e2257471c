/** Traces inside a report: each is compressed, and has a name for people. */

/** A trace that a report holds. */
export interface HeldTrace {
  readonly name: string;
  readonly text: string;
}

/** Bytes of all traces of a report at most. */
const mostBytes = 64 * 1024 * 1024;

/** The traces in a report; none if it is no report, or one without counterexamples. */
export async function tracesIn(page: string): Promise<readonly HeldTrace[]> {
  const found: HeldTrace[] = [];
  let left = mostBytes;
  for (const [, inside = ''] of page.matchAll(
    /<script type="application\/json" class="trace"[^>]*>(.*?)<\/script>/gs,
  )) {
    const { name, deflated } = JSON.parse(inside) as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || typeof deflated !== 'string') continue;
    const bytes = Uint8Array.from(atob(deflated), (sign) => sign.charCodeAt(0));
    const text = await inflated(new Blob([bytes]).stream(), 'deflate-raw', left);
    left -= text.length;
    found.push({ name, text });
  }
  return found;
}

/** What a stream was before it was compressed. Throws a RangeError above so many bytes. */
export async function inflated(
  stream: ReadableStream,
  how: 'gzip' | 'deflate-raw',
  most: number,
): Promise<string> {
  const reader = stream.pipeThrough(new DecompressionStream(how)).getReader();
  const parts: BlobPart[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).text();
    length += value.length;
    if (length > most) throw new RangeError('it is too large to be opened here');
    parts.push(value as BlobPart);
  }
}
