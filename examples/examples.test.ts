import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder).filter((name) => /^[^.]+\.ts$/.test(name));

/** Runs an example as its README says and returns what it prints; fails if it fails. */
async function outputOf(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', name], {
    cwd: folder,
  });
  return stdout;
}

describe('the examples', () => {
  it('are short enough to read, and each is tested here', () => {
    expect(names).toEqual([
      'aggregates.ts',
      'bank-with-a-lying-replica.ts',
      'bank.ts',
      'counter-on-multi-paxos.ts',
      'counter.ts',
      'epaxos-wan.ts',
      'fenced-lock.ts',
      'lease-read.ts',
      'one-liar.ts',
      'quorum-sizes.ts',
      'two-shards.ts',
    ]);
    for (const name of names)
      expect(readFileSync(`${folder}${name}`, 'utf8').split('\n').length - 1, name).toBeLessThan(
        101,
      );
  });

  it('one-liar: the same lie forks Raft and not PBFT, and both times it is proven', async () => {
    const output = await outputOf('one-liar.ts');
    expect(output).toMatch(/raft \(n=3, f=1\): forked \(expected\)\n {2}position 1: .*Ann.*Bob/);
    expect(output).toContain('pbft (n=4, f=1): ok (expected)\n  proof: n0 signed');
    expect(output).not.toContain('never got to lie');
    expect(output.match(/proof: n0 signed two statements/g)).toHaveLength(2);
  });

  it('aggregates: a quorum signs in 96 bytes, and a rogue key is refused', async () => {
    const output = await outputOf('aggregates.ts');
    expect(output).toContain(
      'a list of 3 signatures: 192 bytes\nan aggregate: 96 bytes, 1 check: true',
    );
    expect(output).toContain('n3 alone signs for n0 and itself: true\nunless its key is looked at');
    expect(output).toMatch(/of n3, …, has no valid proof of possession: it may be a rogue key/);
  });

  it('counter: every addition counts once although the leader crashes', async () => {
    const output = await outputOf('counter.ts');
    expect(output).toContain('totals: 1, 3, 6, 10');
    const [, first, second] =
      /replica (\d) led and crashed, then replica (\d) led/.exec(output) ?? [];
    expect(new Set([first, second, undefined]).size).toBe(3);
    expect(await outputOf('counter.ts')).toBe(output);
  });

  it('counter-on-multi-paxos: a replica without its disk comes back and is needed', async () => {
    expect(await outputOf('counter-on-multi-paxos.ts')).toBe(
      [
        'totals: 1, 3, 6, 10, 15',
        'without its disk: leader, rejoining, follower',
        'all have answered: leader, follower, follower',
        'totals: 21, 28',
        '',
      ].join('\n'),
    );
  });

  it('fenced-lock: who pauses writes over the next holder where no token is checked', async () => {
    const output = await outputOf('fenced-lock.ts');
    expect(output).toContain('careless: page 1 of Bob, page 1 of Ann, page 2 of Bob');
    expect(output).toContain('careful: page 1 of Bob, page 2 of Bob');
    expect(output).toContain('refused: "page 1 of Ann" with token 1');
  });

  it('lease-read: a lease saves questions, while clocks are as good as declared', async () => {
    const output = await outputOf('lease-read.ts');
    const [, quorum, lease] = /by quorum: (\d+) .*by lease: (\d+) /s.exec(output) ?? [];
    // A read and its answer; without a lease also a question to each follower, and its answer.
    expect(Number(lease)).toBe(40);
    expect(Number(quorum)).toBeGreaterThanOrEqual(120);
    expect(output).toContain('declared within 0.1 %: stale-read by clocks that are wrong by 10 %');
    expect(output).toContain('the same with clocks declared within 10 %: ok');
  });

  it('bank: the lying replica answers every request and is never believed', async () => {
    expect(await outputOf('bank.ts')).toBe(
      [
        'move ann bob 30: done',
        'move ann bob 80: not enough money',
        'balance ann: 70',
        'balance bob: 130',
        'lies told: 4',
        '',
      ].join('\n'),
    );
  });

  it('bank-with-a-lying-replica: two stories of one leader, and nobody believes it', async () => {
    expect(await outputOf('bank-with-a-lying-replica.ts')).toBe(
      [
        'ann bob 30: [["ann",70],["bob",130]]',
        'ann bob 80: refused',
        'bob ann 5: [["ann",75],["bob",125]]',
        'two stories told: true',
        'replica 0 led, now it is replica 1',
        '',
      ].join('\n'),
    );
  });

  it('quorum-sizes: small phase 2 quorums are quick and hardy, until the leader goes', async () => {
    const output = await outputOf('quorum-sizes.ts');
    const rows = output.trim().split('\n').slice(2);
    const numbers = rows.map((row) => row.match(/[\d.]+/g)?.map(Number) ?? []);
    expect(numbers.map(([q1, q2, , steady, election]) => [q1, q2, steady, election])).toEqual([
      [5, 1, 4, 0],
      [4, 2, 3, 1],
      [3, 3, 2, 2],
      [2, 4, 1, 1],
      [1, 5, 0, 0],
    ]);
    // The more answers a write waits for, the longer it takes over a wide area.
    const seconds = numbers.map((row) => row[2] ?? 0);
    expect(seconds).toEqual([...seconds].sort((one, two) => one - two));
  });

  it('epaxos-wan: a site commits in one round trip of its own, less than to a leader', async () => {
    const lines = (await outputOf('epaxos-wan.ts')).trim().split('\n');
    const rows = lines.slice(2, 7).map((line) => line.match(/\d+/g)?.map(Number) ?? []);
    expect(rows).toHaveLength(5);
    for (const [bound = 0, none = 0, some = 0, all = 0] of rows) {
      // Delays are up to a sixteenth longer than the shortest ones.
      expect(none).toBeGreaterThanOrEqual(bound);
      expect(none).toBeLessThanOrEqual(1.07 * bound + 1);
      expect(some).toBeLessThan(all);
      expect(all).toBeGreaterThanOrEqual(2 * bound);
    }
    // Where the leader stands, nobody can do better.
    const [bound = 0, , , , led = 0] = rows[0] ?? [];
    expect(led).toBeLessThanOrEqual(1.07 * bound + 1);
    for (const [, none = 0, , , led = 0] of rows.slice(1)) expect(none).toBeLessThan(led);
    expect(lines.at(-1)).toMatch(/a client waits up to +\d+ ms until its command is executed/);
  });

  it('two-shards: transfers between groups move money as a whole, at every timestamp', async () => {
    expect(await outputOf('two-shards.ts')).toBe(
      ['then: Ann 100, Zoe 0, together 100', 'now: Ann 40, Zoe 60, together 100', ''].join('\n'),
    );
  });
});
