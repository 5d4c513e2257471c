/** Frames of typical messages, beside JSON of the same and a memory copy of the same bytes. */
import { type Signed, seal } from '@quorumlab/core';
import { envelopes, isRefusal } from '@quorumlab/wire';
import { cpuRate, inTurns, type Part, type Row, type Settings, sink } from './measure.ts';
import { type Sample, samples } from './samples.ts';

const hexadecimal = (_key: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;

async function rowsOf(
  { name, message, messages, domain }: Sample,
  { quick }: Settings,
): Promise<Row[]> {
  const seconds = quick ? 0.1 : 0.25;
  const codec = envelopes(domain, messages);
  const signature = new Uint8Array(64).fill(0x5a) as Signed<typeof message>['signature'];
  const signed = seal(message, 1, signature);
  const frame = codec.encode(signed);
  const standing = new Uint8Array(frame.length);
  const text = JSON.stringify(signed, hexadecimal);
  if (isRefusal(codec.decode(frame))) throw new Error(`the sample "${name}" is refused`);
  const found = await inTurns(quick ? 3 : 5, {
    encode: () => cpuRate(seconds, () => void (sink.value = codec.encode(signed))) / 1e6,
    toJson: () =>
      cpuRate(seconds, () => void (sink.value = JSON.stringify(signed, hexadecimal))) / 1e6,
    decode: () => cpuRate(seconds, () => void (sink.value = codec.decode(frame))) / 1e6,
    fromJson: () => cpuRate(seconds, () => void (sink.value = JSON.parse(text))) / 1e6,
    copy: () => cpuRate(seconds, () => void standing.set(frame)) / 1e6,
  });
  const note = `${frame.length} B with envelope and signature; JSON ${text.length} B`;
  const row = (what: string, value: number, limit: string, bound: number): Row => ({
    part: 'codec',
    name: `${what} ${name}`,
    value,
    unit: 'M/s',
    limit: { name: limit, value: bound },
    note,
  });
  return [
    row('encode', found.encode, 'memory copy of the bytes', found.copy),
    row('encode', found.encode, 'JSON.stringify', found.toJson),
    row('decode', found.decode, 'memory copy of the bytes', found.copy),
    row('decode', found.decode, 'JSON.parse (bytes left as text)', found.fromJson),
  ];
}

/** All samples. */
export const codec: Part = async (settings) => {
  const rows: Row[] = [];
  for (const sample of samples) rows.push(...(await rowsOf(sample, settings)));
  return rows;
};
