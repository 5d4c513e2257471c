/** The guide to threat models: each of its claims gets a link to the run that shows it. */
import { isDeepStrictEqual } from 'node:util';
import {
  againLine,
  narrate,
  runScenario,
  type Scenario,
  type ScenarioFault,
  taleOf,
  verdictSigns,
} from '@quorumlab/harness';
import { linkOfScenario } from '@quorumlab/harness/link';
import { ranOf } from '@quorumlab/playground';
import { parseTrace, type Trace } from '@quorumlab/sim';
import { actingScenarioOf, type ScenarioFlags } from '../../packages/cli/src/flags.ts';
import { markdown as escaped } from '../../packages/report/src/escape.ts';
import { anchorOf } from './anchors.ts';
import { mutantAnchor } from './breaks.ts';
import { SiteError } from './fault.ts';

import { protocolPage } from './protocol.ts';
import { routeOf } from './runs.ts';

/** The document whose claims have runs. */
export const guide = 'docs/threat-models.md';

/** A row of the guide. */
export interface ClaimRow {
  readonly row: string;
  readonly claim: string;
  /** `run` or `attack`. */
  readonly command: string;
  readonly protocol: string;
  readonly flags: ScenarioFlags;
  /** What the run shows: `✓ ok`. */
  readonly shows: string;
}

const claimRow = /^\| (.+) \| `quorumlab (run|attack) ([\w-]+)(.*)` \| (.+) \|$/gm;

/** The claims of the guide, row by row. */
const claimsIn = (markdown: string): readonly ClaimRow[] =>
  [...markdown.matchAll(claimRow)].map(
    ([row, claim = '', command = '', protocol = '', rest = '', shows = '']) => ({
      ...{ row, claim, command, protocol, shows },
      flags: flagsIn(rest.trim()),
    }),
  );

/** The flags of a line: those that are repeated are gathered. */
function flagsIn(line: string): ScenarioFlags {
  const flags: Record<string, string | string[]> = {};
  for (const [, name = '', value = ''] of line.matchAll(/--?([\w-]+) (\S+)/g))
    if (['crash', 'split', 'fault', 'option'].includes(name))
      flags[name] = [...(flags[name] ?? []), value];
    else flags[name] = value;
  return flags as ScenarioFlags;
}

/** The wrong variants that the guide speaks of: the schedule of each is a run. */
export const claimedMutants = (markdown: string): ReadonlySet<string> =>
  new Set(
    claimsIn(markdown).flatMap(({ protocol, flags }) =>
      flags.mutant === undefined ? [] : [`${protocol} ${flags.mutant}`],
    ),
  );

/** Where to see a run, and what is to be said of it on the page if no link tells it. */
interface Seen {
  readonly link: string;
  readonly told?: string;
}

/**
 * The guide in which what a run shows leads to that run. Throws a SiteError for a claim that its
 * run does not show.
 */
export function guideWithRuns(markdown: string): string {
  const seen = new Map(claimsIn(markdown).map((claim) => [claim.row, seenOf(claim)]));
  const rows = markdown.split('\n').map((line) => {
    const link = seen.get(line)?.link;
    if (link === undefined) return line;
    return line.replace(/\| ([^|]+) \|$/, `| [$1: see it](<${link}>) |`);
  });
  const told = [...seen.values()].flatMap((each) => each.told ?? []);
  if (told.length === 0) return rows.join('\n');
  const intro = 'The playground has no settings for these, so here is what came of them.';
  return [...rows, '', '## Runs for a terminal', '', intro, '', ...told].join('\n');
}

function seenOf({ claim, protocol, flags, shows }: ClaimRow): Seen {
  if (flags.mutant !== undefined)
    return { link: `site:${protocolPage(protocol)}#${mutantAnchor(flags.mutant)}` };
  const scenario = atSeats(actingScenarioOf(protocol, flags));
  const result = runScenario(scenario, { proofs: true, story: true, lines: false });
  const { word, proofs, digest } = result;
  const verdict = `${verdictSigns[word]} ${word}`;
  const proven = proofs.map(
    ({ signer, about }) => `n${signer} signed two statements about ${about}`,
  );
  if (![verdict, ...proven].some((line) => line.includes(shows)))
    throw new SiteError(
      `${guide} claims "${claim}" and that its run shows "${shows}", but it shows "${verdict}": ` +
        'mend the row, or the command in it.',
    );
  if (linkOfScenario(scenario) !== undefined) return { link: routeOf(scenario, word) };
  const sentence = result.violation?.sentence ?? `${result.answered} operations were answered`;
  const story = narrate(taleOf(result)).map((line) => `- ${escaped(line)}`);
  const lines = [`### ${claim}`, '', `**${verdict}.** ${escaped(sentence)}.`, '', ...story, ''];
  const again = `\`${againLine(scenario) ?? ''}\`, digest \`${digest}\``;
  return { link: `#${anchorOf(claim, new Map())}`, told: [...lines, again, ''].join('\n') };
}

/**
 * The same run with the leader named by its number, as links name nodes: who led when it was struck
 * is in the trace.
 */
function atSeats(scenario: Scenario): Scenario {
  const isOpen = (fault: ScenarioFault): boolean => 'node' in fault && fault.node === 'leader';
  if (!scenario.faults.some(isOpen)) return scenario;
  const eventsOf = (each: Scenario): Trace['events'] => parseTrace(ranOf(each).trace).events;
  const events = eventsOf(scenario);
  const faults = scenario.faults.map((fault): ScenarioFault => {
    if (!isOpen(fault)) return fault;
    const struck = events.find(({ k, t }) => k === fault.type && t === fault.at);
    return { ...fault, node: struck?.n } as ScenarioFault;
  });
  // Who is struck by name is struck before anything is called healed, to the microsecond.
  const last = Math.max(...scenario.faults.filter(isOpen).map(({ at }) => at));
  const seated = { ...scenario, faults: [...faults, { type: 'heal', at: last + 1 } as const] };
  // Digests are of scenarios too, so these differ; what happens is the same, event by event.
  if (isDeepStrictEqual(eventsOf(seated), events)) return seated;
  throw new SiteError(
    `${guide}: whoever leads is struck in a run of ${scenario.protocol}, and no node that is ` +
      'named gives the same run: name one by its number.',
  );
}
