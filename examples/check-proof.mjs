// Checks a proof of guilt with no code of quorumlab: node check-proof.mjs FILE
import { fail as refuse } from 'node:assert';
import { readFileSync } from 'node:fs';
import { hashes, Point, verify } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';

hashes.sha512 = sha512;
const hexOf = (text) => Buffer.from(text).toString('hex');
const bytesOf = (hex) => (/^([0-9a-f]{2})*$/.test(hex) ? Buffer.from(hex, 'hex') : refuse('hex'));
let [bytes, at] = [Buffer.of(), 0];
const take = (n) => (n > bytes.length - at ? refuse('cut off') : bytes.subarray(at, (at += n)));
const int = (sum = 0, scale = 1, [byte] = take(1)) => {
  if ((byte === 0 && scale > 1) || scale > 2 ** 42) refuse('a number is not in its one form');
  return byte < 128 ? sum + byte * scale : int(sum + (byte - 128) * scale, scale * 128);
};
const [text, digest] = [() => hexOf(take(int())), () => hexOf(take(32))];
const list = (each) => Array.from({ length: int() }, each);
const or = (each) => ([() => null, each][int()] ?? refuse('neither null nor not'))();
const claims = () => list(() => ({ view: int(), sequence: int(), digest: digest() }));
const asked = (operations) => [operations, operations.length > 0 || text()];
const batch = () => list(() => [int(), text(), [int(), int(), int(), int(), asked(list(text))]][2]);
const types = { i: int, d: digest, b: batch, c: claims, l: () => [int(), digest()] };
/** The parts of statements in order: @ what it is about, = what it says of that, + the rest. */
const kinds = {
  'pbft pre-prepare': '@set:i @view:i @sequence:i =digest:d +batch:b',
  'pbft prepare': '@set:i @view:i @sequence:i =digest:d',
  'pbft commit': '@set:i @view:i @sequence:i =digest:d',
  'pbft checkpoint': '=set:i @sequence:i =digest:d =group:d?',
  'pbft view-change': '@set:i @view:i =low:l? =claims:c',
  'hotstuff proposal': '@set:i @view:i =height:i =parent:d =batch:b ...',
  'hotstuff vote': '@set:i @view:i =block:d +justify:i',
  'hotstuff vote basic': '@phase:i @set:i @view:i =block:d +justify:i',
  'hotstuff timeout': '@set:i @view:i =high:i',
  'hotstuff checkpoint': '=set:i @height:i +view:i =block:d =state:d',
  'tendermint proposal': '@height:i @view:i =set:i =batch:b =valid:i? ...',
  'tendermint prevote': '@height:i @view:i =set:i =value:d? =valid:i?',
  'tendermint precommit': '@height:i @view:i =set:i =value:d?',
  'tendermint checkpoint': '@height:i =set:i =state:d',
  'streamlet proposal': '@view:i =height:i =parent:l =batch:b ...',
  'streamlet vote': '@view:i =height:i =block:d',
  'streamlet checkpoint': '=view:i @height:i =block:d =state:d',
};
for (const kind of ['prepare', 'commit', 'checkpoint', 'view-change', 'new-view'])
  kinds[`minbft ${kind}`] = '@number:i ...';
function statement(kind, it = { kind: kind.split(' ')[1], '@': [], '=': [], '+': [] }) {
  for (const part of (kinds[kind] ?? refuse(`no rule about a ${kind}`)).split(' ')) {
    if (part === '...') return { ...it, rest: hexOf(bytes.subarray(at)) };
    const [, mark, name, type, mayBeNull] = /(.)(\w+):(\w)(\??)/.exec(part);
    it[mark].push((it[name] = mayBeNull ? or(types[type]) : types[type]()));
  }
  return at === bytes.length ? it : refuse('more than one statement');
}
const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);
function isLie(one, two, { rules = 'jolteon', accountable = true }, blocks) {
  const [isSame, isLater] = [same(one['@'], two['@']), two.view > one.view];
  const [hid, inSet] = [two.high < (one.phase > 0 ? one.view : one.justify), one.set === two.set];
  if (one.number >= 0) return isSame && (one.kind !== two.kind || one.rest !== two.rest);
  const up = (name) => blocks.get(name)?.parent;
  const [chained, basic] = [blocks.get(up(up(one.block)))?.view, one.phase === 2 ? one.view : 0];
  const lock = { chained, basic, 'hotstuff-2': one.justify }[rules];
  const claim = two.claims?.find((each) => each.sequence === one.sequence) ?? { view: -1 };
  const isShown = claim.view > one.view || same([one.view, one.digest], [claim.view, claim.digest]);
  const isOther = one.value && two.value && one.value !== two.value && one.height === two.height;
  const lies = {
    [`${one.kind} ${two.kind}`]: isSame && one.digest !== two.digest,
    [`${one.kind} ${one.kind}`]: isSame && !same(one['='], two['=']),
    'vote timeout': inSet && two.view >= one.view && hid,
    'commit view-change': inSet && isLater && !isShown && (two.low?.[0] ?? 0) < one.sequence,
    'precommit prevote': accountable && isLater && isOther && (two.valid ?? -1) < one.view,
  };
  lies['timeout timeout'] ||= inSet && isLater && two.high < one.high;
  lies['vote vote'] ||= inSet && isLater && (two.height < one.height || two.justify < lock);
  return lies[`${one.kind} ${two.kind}`];
}
export function check(proof) {
  const { schema, domain, options, members, contents, culprits } = JSON.parse(proof);
  if (schema !== 'quorumlab.proof/2' || culprits.length === 0) refuse('this is no proof of guilt');
  const [{ cluster, group, epoch, protocol, version }, blocks] = [domain, new Map()];
  for ([bytes, at] of contents.map((each) => [bytesOf(each), 0])) {
    const name = hexOf(sha256(Buffer.concat([Buffer.from('quorumlab/digest/1\n'), bytes])));
    blocks.set(name, { set: int(), view: int(), height: int(), parent: digest() });
  }
  const said = (member, { signed, signature }) => {
    const key = Point.fromHex(members[member] ?? refuse('no member'));
    if (key.isSmallOrder() || !key.isTorsionFree()) refuse('a key that signs for others');
    [bytes, at] = [bytesOf(signed), 0];
    const isGood = verify(bytesOf(signature), bytes, key.toBytes(), { zip215: true });
    if (!isGood || hexOf(take(22)) !== hexOf('quorumlab/statement/1\n')) refuse('a bad signature');
    const place = [text(), text(), int(), text(), int(), int(), text(), int()];
    const wanted = [hexOf(cluster), hexOf(group), epoch, hexOf(protocol), version, member];
    if (!same(place.slice(0, 6), wanted)) refuse('a statement of another place');
    const kind = `${protocol} ${Buffer.from(place[6], 'hex')}`;
    return statement(kinds[`${kind} ${options.rules}`] ? `${kind} ${options.rules}` : kind);
  };
  for (const { member, first, second } of culprits)
    if (!isLie(said(member, first), said(member, second), options, blocks)) refuse('no lie');
  const named = culprits.map(({ member }) => member);
  return new Set(named).size < named.length ? refuse('named twice') : named;
}
if (process.argv[2]) console.log('guilty:', check(readFileSync(process.argv[2], 'utf8')));
