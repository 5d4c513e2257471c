/** Messages that tests send by hand. */
import { command, digestOfText } from '@quorumlab/protocol-testing';
import type { EpaxosMessage, InstanceId, Runs, Value } from '../src/index.ts';

/** The value of one command. */
export const valueWith = (text: string): Value => ({
  kind: 'commands',
  commands: [command(text)],
});

/** What a message says of an instance. */
export const proposal = (instance: InstanceId, text: string, dependencies: Runs = []) => ({
  instance,
  checkpoints: 0,
  value: valueWith(text),
  dependencies,
});

/** One message of each kind about `instance`, in `ballot`. */
export const oneOfEach = (ballot: number, instance: InstanceId): readonly EpaxosMessage[] => {
  const about = { ballot, instance };
  const first = proposal(instance, 'x');
  return [
    { kind: 'pre-accept', ...first },
    { kind: 'pre-accept-ok', instance, dependencies: [] },
    { kind: 'accept', ballot, ...first },
    { kind: 'accept-ok', ...about },
    { kind: 'commit', ballot, ...first },
    { kind: 'recover', ...about, checkpoints: 0 },
    {
      kind: 'recover-ok',
      ...about,
      accepted: 0,
      phase: 'pre-accepted',
      checkpoints: 0,
      value: valueWith('x'),
      dependencies: [],
      initial: [],
    },
    { kind: 'validate', ballot, ...first },
    { kind: 'validate-ok', ...about, obstacles: [] },
    { kind: 'waiting', instance, count: 2 },
    { kind: 'nack', ...about, joined: ballot + 10 },
    { kind: 'progress', checkpoints: 0, committed: [{ from: instance, count: 1 }] },
    { kind: 'ask', checkpoints: 0, instances: [instance] },
    { kind: 'snapshot-offer', slot: 30, checkpoints: 3, digest: digestOfText('state') },
    { kind: 'recall', attempt: 1 },
    { kind: 'recalled', attempt: 1, next: 9, checkpoints: 0, open: [] },
  ];
};
