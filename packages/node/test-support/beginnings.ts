/** What strangers may say first, before anybody knows who they are. */
import { line } from './yamux.ts';

/** What libp2p says first. */
export const header: Uint8Array = line('/multistream/1.0.0');
/** All that comes before the handshake of Noise. */
export const noise: Uint8Array = Buffer.concat([header, line('/noise')]);
/** `part` so many times. */
export const repeated = (part: Uint8Array, times: number): Uint8Array =>
  Buffer.concat(Array.from({ length: times }, () => part));

/** Beginnings of a connection that lead nowhere. */
export const beginnings: readonly Uint8Array[] = [
  new Uint8Array(0),
  new Uint8Array(2000),
  Buffer.from('GET / HTTP/1.1\r\nHost: replica\r\n\r\n'),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]),
  repeated(Buffer.from([0x80]), 64),
  Buffer.concat([Buffer.from([0x80, 0x08]), new Uint8Array(1024)]),
  Buffer.from([3, 0x6c, 0x73, 0x20]),
  repeated(line('ls'), 16_000),
  Buffer.concat([header, repeated(line('ls'), 200)]),
  Buffer.concat([header, repeated(line('/tls/1.0.0'), 80)]),
  repeated(header, 40),
  Buffer.concat([noise, Buffer.from([0, 0])]),
  Buffer.concat([noise, Buffer.from([0, 32]), new Uint8Array(32)]),
  Buffer.concat([noise, Buffer.from([0xff, 0xff]), new Uint8Array(100)]),
  Buffer.concat([noise, Buffer.from([0xff, 0xff]), new Uint8Array(65_535)]),
  Buffer.concat([noise, noise, noise]),
];

/** A beginning that was cut somewhere, and sometimes spoilt in one byte. */
export function randomBeginning(draw: (limit: number) => number): Uint8Array {
  const whole = Buffer.concat([
    beginnings[draw(beginnings.length)] ?? noise,
    beginnings[draw(beginnings.length)] ?? noise,
  ]).subarray(0, 1 + draw(4000));
  if (draw(2) === 0 && whole.byteLength > 0) whole[draw(whole.byteLength)] = draw(256);
  return whole;
}
