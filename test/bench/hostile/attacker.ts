/**
 * A hostile member or client in a process of its own, with a good key. It sends what it was told
 * to, as fast as a share of one core lets it, and takes little notice of what others say.
 */
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogShape, type ServicedProtocol, serviced } from '@quorumlab/log';
import { createLogger, type Mesh, startMesh } from '@quorumlab/node';
import { envelopes, type Keyring } from '@quorumlab/wire';
import { clusterDomain, principalsOf } from '../../../packages/node/src/cluster-identity.ts';
import { nodeKeyring } from '../../../packages/node/src/keyring.ts';
import { chance as seeded } from '../../../packages/node/test-support/child-of.ts';
import { benchProtocol, clusterOf } from '../cluster/shared.ts';
import { type Any, type Facts, type Forge, forged, type Variant, variants } from './forge.ts';
import { rawAttack } from './raw.ts';
import type { Attack, AttackerAsk, AttackerTold } from './shared.ts';

type Start = Extract<AttackerAsk, { type: 'start' }>;
/** Sends once; how many bytes it got rid of, 0: there is no room now. */
type Shot = () => number | Promise<number>;

const tell = (told: AttackerTold): void => void process.send?.(told);
const chance = seeded(7);

/** Most that is made ready for one row. */
const most = { frames: 8_000, bytes: 96 * 2 ** 20, milliseconds: 1_000 };

let started: Start;
let group: ServicedProtocol<LogShape>;
let mesh: Mesh | undefined;
let keyring: Keyring<Any>;
let shoot: Shot = () => 0;
let finish: () => void | Promise<void> = () => {};
/** Frames that others sent, by kind. */
const heard = new Map<string, Uint8Array[]>();

const clusterHere = () => clusterOf(started.principals);
const seal = () => envelopes(clusterDomain(group.protocol, clusterHere()), group.messages);

async function start(ask: Start): Promise<void> {
  started = ask;
  group = serviced(benchProtocol(ask.protocol, ask.n));
  const cluster = clusterHere();
  keyring = nodeKeyring<Any>({
    signatures: undefined,
    self: ask.self,
    secretKey: Buffer.from(ask.secretKey, 'hex'),
    cluster,
    protocol: group.protocol,
    messages: group.messages,
    evidence: group,
  });
  await join();
  tell({ type: 'ready' });
}

/** Takes its place in the mesh, if it has none. */
async function join(): Promise<void> {
  if (mesh !== undefined) return void (await connected(clusterHere().members.length - 1, 3_000));
  const cluster = clusterHere();
  const { self, secretKey } = started;
  const listen = cluster.members.find(({ id }) => id === self)?.address;
  const decode = seal();
  mesh = await startMesh({
    secretKey: Buffer.from(secretKey, 'hex'),
    self,
    ...(listen === undefined ? {} : { listen }),
    principals: principalsOf(cluster),
    maxFrameBytes: 16 * 2 ** 20,
    onFrame(_, frame) {
      const message = decode.decode(frame);
      if (!('kind' in message)) return;
      const of = heard.get(message.kind) ?? [];
      if (of.length === 64) of.shift();
      heard.set(message.kind, [...of, frame.slice()]);
    },
    limits: { maxRedialMs: 100 },
    logger: createLogger({ level: 'silent' }),
  });
  // For a client too one member is silent: the one whose place nobody takes.
  const others = cluster.members.length - 1;
  await connected(others, 20_000);
}

/** Waits until `count` replicas are connected, for so long: who was cut off is let in again. */
const connected = (count: number, milliseconds: number): Promise<void> | undefined =>
  mesh?.ready(Math.max(1, count), AbortSignal.timeout(milliseconds)).catch(() => {});

async function leave(): Promise<void> {
  await mesh?.stop();
  mesh = undefined;
}

const replicas = (): readonly number[] =>
  clusterHere()
    .members.map(({ id }) => id)
    .filter((id) => id !== started.self);

/** All frames in turns, to every replica that has room for them. */
function volley(frames: readonly Uint8Array[]): Shot {
  const to = replicas();
  let next = 0;
  return () => {
    const frame = frames[next++ % frames.length];
    if (frame === undefined) return 0;
    let bytes = 0;
    for (const id of to) if (mesh?.send(id, frame) === true) bytes += frame.length;
    return bytes;
  };
}

function framesOf(kind: string, variant: Variant, facts: Facts, share: number): Uint8Array[] {
  const field = group.messages.of(kind);
  if (field === undefined) throw new Error(`${started.protocol} has no message ${kind}`);
  const own = { self: started.self, keyring, envelopes: seal(), field, facts, chance };
  const forge: Forge = { ...own, heard: heard.get(kind) ?? [] };
  const frames: Uint8Array[] = [];
  const end = performance.now() + most.milliseconds * share;
  for (let bytes = 0, tries = 0; tries < most.frames * share && bytes < most.bytes * share; ) {
    const frame = forged(forge, variant);
    tries++;
    if (frame !== undefined) bytes += frames[frames.push(frame) - 1]?.length ?? 0;
    if (performance.now() > end) break;
  }
  return frames;
}

async function prepare(attack: Attack, facts: Facts): Promise<number> {
  await finish();
  finish = () => {};
  if ('special' in attack) {
    if (attack.special === 'zeros') {
      await join();
      shoot = volley([new Uint8Array(2 ** 20)]);
      return 1;
    }
    await leave();
    const place = {
      replicas: clusterHere().members.filter(({ id }) => id !== started.self),
      self: started.self,
      secretKey: Buffer.from(started.secretKey, 'hex'),
      frames: () => framesOf('query', 'valid', facts, 0.2),
    };
    const raw = await rawAttack(attack.special, place);
    shoot = raw.shoot;
    finish = raw.finish;
    return 1;
  }
  await join();
  const { variant } = attack;
  const kinds = attack.kind.split(',');
  const framesIn = (one: Variant, share: number): Uint8Array[] =>
    kinds.flatMap((kind) => framesOf(kind, one, facts, share / kinds.length));
  if (variant !== 'mixed') {
    const frames = framesIn(variant, 1);
    shoot = volley(frames);
    return frames.length;
  }
  const made = variants.map((each) => framesIn(each, 1 / variants.length));
  const shots = made.map(volley);
  shoot = () => {
    // The invalid ones come last: their sender is cut off for them.
    const at = Math.min(shots.length - 1, Math.floor(shots.length * progress()));
    return (shots[at] as Shot)();
  };
  return made.reduce((sum, each) => sum + each.length, 0);
}

let began = 0;
let lasts = 1;
const progress = (): number => (performance.now() - began) / lasts;

async function go(milliseconds: number, share: number): Promise<void> {
  began = performance.now();
  lasts = milliseconds;
  const before = process.cpuUsage();
  let frames = 0;
  let bytes = 0;
  const used = (): number => {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  while (progress() < 1) {
    let refused = 0;
    for (let i = 0; i < 64 && refused < 4; i++) {
      const shot = shoot();
      const sent = typeof shot === 'number' ? shot : await shot;
      if (sent > 0) frames++;
      else refused++;
      bytes += sent;
    }
    // Timers let the sockets have their turn; and what was used too much is given back.
    const over = used() / 1000 / share - (performance.now() - began);
    await sleep(Math.max(refused > 0 ? 1 : 0, Math.min(100, over)));
  }
  tell({ type: 'done', frames, bytes, cpu: used() });
}

async function obey(ask: AttackerAsk): Promise<void> {
  if (ask.type === 'start') await start(ask);
  if (ask.type === 'prepare')
    tell({ type: 'prepared', frames: await prepare(ask.attack, ask.facts) });
  if (ask.type === 'go') await go(ask.milliseconds, ask.share);
  if (ask.type === 'end') process.exit();
}

setPriority(10);
process.on('message', (ask: AttackerAsk) => {
  obey(ask).catch((error: unknown) => tell({ type: 'failed', why: String(error) }));
});
process.once('disconnect', () => process.exit());
