/** Lab 1: an acceptor that lies. */
import { attackOfLie, completeScenario, type OwnAttack, registerAttack } from '@quorumlab/harness';
import { foundIn, type Graded, hidden, type Lab, unfit } from './lab.ts';

/** Lines of code at most, and events of the fork when it was made small. */
const mostLines = 40;
const mostEvents = 60;

const scenario = (attack: string) =>
  completeScenario({
    ...{ protocol: 'basic-paxos', n: 3, f: 1, attack, by: [0], count: 3, clients: 3 },
    seed: hidden(1),
    // Only n0 is heard by both others: what n1 knows of n2 it knows from the liar.
    faults: [
      { type: 'cut', at: 0, from: [1], to: [2] },
      { type: 'cut', at: 0, from: [2], to: [1] },
      { type: 'heal', at: 3_000_000 },
    ],
  });

/** Lines that are neither empty nor comments alone. */
const linesIn = (text: string): number =>
  text
    .replaceAll(/\/\*.*?\*\//gs, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;

function grade({ lie, answer }: Readonly<Record<string, unknown>>, text: string, seeds: number) {
  const given = [lie, answer].filter((each) => each !== undefined);
  if (given.length === 0 || !given.every((each) => typeof each === 'function'))
    return unfit(
      'Export a function "lie", a function "answer", or both, as the file to begin with.',
    );
  const lines = linesIn(text);
  if (lines > mostLines)
    return unfit(
      `Your file has ${lines} lines of code, and ${mostLines} are enough: which lie is it?`,
    );
  let wrong: unknown;
  const forget = registerAttack(
    attackOfLie('own-acceptor', { lie, answer } as OwnAttack, (error) => {
      wrong ??= error;
    }),
  );
  try {
    return judged(foundIn(scenario('own-acceptor'), seeds), lines, wrong);
  } finally {
    forget();
  }
}

function judged(found: ReturnType<typeof foundIn>, lines: number, wrong: unknown): Graded {
  const { runs, hits, events = 0, sentence } = found;
  if (wrong !== undefined)
    return { ...found, passed: false, sentences: [`Your function threw ${String(wrong)}.`] };
  if (hits === 0)
    return {
      ...found,
      passed: false,
      sentences: [
        `No fork in ${runs} runs: n1 and n2 agree, although n0 lies.`,
        'A value is chosen by n0 and n2. For n1 to choose another one, what must it not hear ' +
          'from n0, and what must n0 promise and accept once more?',
      ],
    };
  const often = `It forks in ${hits} of ${runs} runs, in ${lines} lines: ${sentence}.`;
  if (events > mostEvents)
    return {
      ...found,
      passed: false,
      sentences: [often, `The smallest fork has ${events} events, and ${mostEvents} are enough.`],
    };
  return {
    ...found,
    passed: true,
    sentences: [often, `Made small it has ${events} events. One acceptor broke both its promises.`],
  };
}

/** Write an acceptor that forks Basic Paxos. */
export const lyingAcceptor: Lab = {
  number: 1,
  title: 'Write an acceptor that lies',
  task: [
    'n0 is an acceptor of three, and yours. n1 and n2 are honest, and cannot hear each other for ' +
      `three seconds. Make them decide different values, in at most ${mostLines} lines.`,
    'It is marked by runs of Basic Paxos under seeds that you are not told, and by how short the ' +
      `fork is when it was made small: at most ${mostEvents} events.`,
  ],
  skeleton: `// What n0 says to "to" in place of "message", which it says because of "heard".
// Return nothing: the message as it is; false: nothing; an object: that message.
// Messages: prepare {ballot}, promise {ballot, accepted}, accept {ballot, value},
// accepted {ballot, value}, nack, ask, decided {value}, and refusal to clients.
export function lie(to, message, heard) {
  if (message.kind === 'refusal') return false; // Who is refused does not ask the others.
}

// What n0 says besides when it hears a message: [{ to: 1, message: { kind: … } }], or nothing.
export function answer(heard) {
  return [];
}
`,
  grade,
};
