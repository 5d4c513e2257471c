/** A failure for people: the sentence, the diagram, the proof, and the line that replays it. */
import { attackOf, columns, nameRequests, type RunResult, requestsIn } from '@quorumlab/harness';

/** Lines of a diagram at most, and characters of a column. */
const diagram = { most: 16, width: 26 };

/** `n1, n2`. */
export const nodes = (ids: readonly number[]): string => ids.map((id) => `n${id}`).join(', ');

/** Who lied in a run, as its proofs have it, ascending. */
export const culpritsOf = ({ proofs }: RunResult): readonly number[] =>
  [...new Set(proofs.map(({ signer }) => signer))].sort((one, two) => one - two);

/** What happened in a run, under `heading`. */
export function report(heading: string, run: RunResult): string {
  const { scenario, word, violation } = run;
  const over = word === 'inconclusive' ? ' when the time was over: give it more time (until)' : '';
  const sentence = violation?.sentence ?? `${run.answered} operations were answered${over}`;
  const story = run.story.filter(
    ({ kind, slot }) => kind !== 'commits' || [undefined, slot].includes(violation?.slot),
  );
  const traitors = attackOf(scenario.attack).needs === 'byzantine' ? scenario.by : [];
  const lines = columns(story, { n: scenario.n, traitors, traitorSign: ' (liar)', ...diagram });
  return [
    heading,
    '',
    `${word}: ${sentence}`,
    ...(story.length > 0 ? ['', ...lines] : []),
    ...proofLines(run),
    '',
    `Replay: runScenario(${JSON.stringify(scenario)})`,
  ].join('\n');
}

function proofLines({ proofs }: RunResult): readonly string[] {
  const [proof] = proofs;
  if (proof === undefined) return [];
  const { signer, about, first, second } = proof;
  const more = proofs.length === 1 ? '' : `; ${proofs.length - 1} proofs more`;
  return [
    '',
    `Proof: n${signer} signed two statements about ${about}, of which only one may be ` +
      `signed${more}`,
    ...[first, second].map((said) => `  ${said.kind} ${nameRequests(requestsIn(said))}`),
  ];
}
