/** A run in sentences: what a liar tried, who voted for what, and why it failed or did not. */
import type { StoryLine, ToldValue } from './story.ts';

/** What there is to tell. */
export interface Told {
  readonly story: readonly StoryLine[];
  /** How many have a vote. */
  readonly n: number;
  readonly liars: readonly number[];
  /** The contested position, if there is one. */
  readonly slot?: number;
  /** What was done to the group, and how often that acted; nothing for a run without an attack. */
  readonly attack?: { readonly title: string; readonly fired: number };
  /** What `at` is counted in; a schedule counts steps. Milliseconds unless told. */
  readonly unit?: 'ms' | 'step';
}

/** One node's commit of one position, and what made it. */
export interface CommitRow {
  readonly at: number;
  readonly seat: number;
  readonly slot: number;
  readonly value: string;
  /** Whose votes the node counted; absent: it took another's word. */
  readonly voters?: readonly number[];
  readonly toldBy?: number;
  /** Who stands behind the value: the voters, or who holds it and who said that it is committed. */
  readonly quorum: readonly number[];
}

/** Who stands behind what was committed at one position, and what two quorums have in common. */
export interface Overlap {
  readonly slot: number;
  /** One for each value that was committed there: more than one is a fork. */
  readonly quorums: readonly { readonly value: string; readonly members: readonly number[] }[];
  /** Of a fork: who is in the first two quorums; absent where it is not recorded. */
  readonly both?: readonly number[];
  /** Who of them lied. */
  readonly lied?: readonly number[];
  /** How many votes it takes, as far as the commits of this run show; absent: nobody counted. */
  readonly size?: number;
  /** How many members any two quorums of that size share at least; below 1: they need not meet. */
  readonly shared?: number;
}

/** See {@link Overlap}; nothing if nothing was committed. */
export function overlapOf(told: Told): Overlap | undefined {
  const { story, n, liars } = told;
  const { commits } = matterOf(told);
  const values = new Map<string, CommitLine>();
  for (const line of commits)
    if (!values.has(line.value.ids.join())) values.set(line.value.ids.join(), line);
  const slot = commits[0]?.slot;
  if (slot === undefined) return undefined;
  const quorums = [...values.values()].map((line) => ({
    value: line.value.name,
    members: quorumOf(story, line),
  }));
  const [one, two] = quorums;
  // Where it is not known whose word somebody took, whom two have in common is not known either.
  const isKnown = [...values.values()].every(
    ({ voters, toldBy }) => voters !== undefined || toldBy !== undefined,
  );
  const both = two && isKnown ? one?.members.filter((id) => two.members.includes(id)) : undefined;
  // Who counts may count more votes than it takes: the fewest that were enough are a quorum.
  const counted = commitLines(story).flatMap(({ voters }) => (voters ? [voters.length] : []));
  const size = counted.length === 0 ? undefined : Math.min(...counted);
  return {
    slot,
    quorums,
    ...(both === undefined ? {} : { both, lied: both.filter((id) => liars.includes(id)) }),
    ...(size === undefined ? {} : { size, shared: Math.max(0, 2 * size - n) }),
  };
}

/** All commits of honest nodes, each with what made it. */
export const commitsOf = (story: readonly StoryLine[]): readonly CommitRow[] =>
  commitLines(story).map((line) => ({
    at: line.at,
    seat: line.seat,
    slot: line.slot,
    value: line.value.name,
    ...(line.voters === undefined ? {} : { voters: line.voters }),
    ...(line.toldBy === undefined ? {} : { toldBy: line.toldBy }),
    quorum: quorumOf(story, line),
  }));

/** The story in sentences, about one position: the contested one, or the first that matters. */
export function narrate(told: Told): readonly string[] {
  const { lie, commits } = matterOf(told);
  return [
    ...attackSentences(told, lie),
    ...leaderSentences(told, lie, commits),
    ...commitSentences(told, commits),
    ...overlapSentences(told, lie, commits),
  ];
}

/** The end of the story only: whose votes committed what, and what two quorums have in common. */
export function narrateVotes(told: Told): readonly string[] {
  const { lie, commits } = matterOf(told);
  return [...commitSentences(told, commits), ...overlapSentences(told, lie, commits)];
}

/** What the story is about: the first lie, and the commits of one position. */
function matterOf(told: Told): {
  readonly lie: StoryLine | undefined;
  readonly commits: readonly CommitLine[];
} {
  const lie = told.story.find(isTwoFaced);
  const all = commitLines(told.story);
  const slot = told.slot ?? slotOf(all, lie);
  return { lie, commits: all.filter((line) => line.slot === slot) };
}

/** A commit of one position. */
interface CommitLine extends StoryLine {
  readonly slot: number;
  readonly value: ToldValue;
}

const commitLines = (story: readonly StoryLine[]): readonly CommitLine[] =>
  story.flatMap((line) => {
    const [value] = line.values ?? [];
    return line.kind === 'commits' && line.slot !== undefined && value !== undefined
      ? [{ ...line, slot: line.slot, value }]
      : [];
  });

const isTwoFaced = ({ kind, values = [] }: StoryLine): boolean =>
  kind === 'says' && values.length > 1;

/** Whether `value` is in `whole`, which may be a batch. */
const isIn = (value: ToldValue, whole: ToldValue): boolean =>
  value.ids.length > 0 && value.ids.every((id) => whole.ids.includes(id));

/** The position that the first lie was about, or the first at which anything was committed. */
function slotOf(commits: readonly CommitLine[], lie: StoryLine | undefined): number | undefined {
  const lied = commits.find(({ value }) => lie?.values?.some((each) => isIn(value, each)));
  const first = commits.find(({ value }) => value.ids.length > 0) ?? commits[0];
  return (lied ?? first)?.slot;
}

/** Lines in which an honest node writes `value` down, at one place if it is told. */
const accepting = (
  story: readonly StoryLine[],
  value: ToldValue,
  place?: string,
): readonly StoryLine[] =>
  story.filter(
    (line) =>
      line.kind === 'accepts' &&
      (place === undefined || line.place === place) &&
      line.values?.some((each) => isIn(value, each)),
  );

/** Honest nodes that hold `value` at `place` at a time. */
const holders = (
  story: readonly StoryLine[],
  value: ToldValue,
  place: string | undefined,
  at = Number.POSITIVE_INFINITY,
): readonly number[] =>
  sorted(
    accepting(story, value, place)
      .filter((line) => line.at <= at)
      .map(({ seat }) => seat),
  );

/** Who holds what `line` commits, where the node that commits it has it. */
function heldWith(story: readonly StoryLine[], { seat, at, value }: CommitLine): readonly number[] {
  const own = accepting(story, value).filter((line) => line.seat === seat && line.at <= at);
  return holders(story, value, own.at(-1)?.place, at);
}

/** Where those who were lied to wrote it down. */
const placeOf = (story: readonly StoryLine[], lie: StoryLine): string | undefined =>
  story.find(
    ({ kind, at, seat, values = [] }) =>
      kind === 'accepts' &&
      at >= lie.at &&
      lie.values?.some(
        (told) => told.to?.includes(seat) && values.some((each) => isIn(told, each)),
      ),
  )?.place;

/** Who stands behind a commit. */
const quorumOf = (story: readonly StoryLine[], line: CommitLine): readonly number[] =>
  line.voters ??
  sorted([...heldWith(story, line), ...(line.toldBy === undefined ? [] : [line.toldBy])]);

const sorted = (seats: readonly number[]): number[] =>
  [...new Set(seats)].sort((one, two) => one - two);

/** `n1`, `n1 and n2`, `n1, n2 and n3`. */
function names(seats: readonly number[]): string {
  const all = seats.map((id) => `n${id}`);
  return all.length < 2 ? (all[0] ?? 'nobody') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

const when = ({ unit = 'ms' }: Told, at: number): string =>
  unit === 'ms' ? `at ${Math.round(at / 1000)} ms` : `at step ${Math.round(at / 1000)}`;

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** What the liar told whom, and who believed what; or what else was done to the group. */
function attackSentences(told: Told, lie: StoryLine | undefined): readonly string[] {
  const { story, attack, liars } = told;
  const whole =
    attack === undefined
      ? []
      : attack.fired === 0
        ? [`The attack never acted: ${attack.title}`]
        : [`The attack acted ${times(attack.fired)}: ${attack.title}`];
  if (lie === undefined) {
    const speeches = story.filter(({ kind }) => kind === 'says').length;
    return liars.length > 0 && speeches === 0 && attack !== undefined
      ? [...whole, `${names(liars)} told nobody any value.`]
      : whole;
  }
  const said = (lie.values ?? []).map(({ name, to = [] }) => `${names(to)} ${name}`);
  const more = story.filter(isTwoFaced).length - 1;
  const first = `n${lie.seat} told ${said.join(', and ')}, ${when(told, lie.at)}.`;
  const place = placeOf(story, lie);
  const believed = (lie.values ?? []).map((value) => {
    const who = holders(story, value, place);
    return `${names(who)} accepted ${value.name}`;
  });
  return [
    ...whole,
    more > 0 ? `${first} It told two stories ${times(more)} more.` : first,
    `${believed.join('; ')}.`,
  ];
}

/** Most changes of leaders that are told one by one. */
const mostLeaders = 4;

/** Who led between the lie and the last commit that is told. */
function leaderSentences(
  told: Told,
  lie: StoryLine | undefined,
  commits: readonly CommitLine[],
): readonly string[] {
  const until = commits.at(-1)?.at ?? Number.POSITIVE_INFINITY;
  const since = lie?.at ?? 0;
  const led = told.story.filter(({ kind, at }) => kind === 'leads' && at >= since && at <= until);
  if (led.length === 0) return [];
  const shown = led
    .slice(0, mostLeaders)
    .map(({ seat, text, at }) => `n${seat} ${text} ${when(told, at)}`);
  const more = led.length - shown.length;
  return [`${shown.join('; ')}${more > 0 ? `; ${more} more follow` : ''}.`];
}

/** Who committed what, by whose votes: those with the same votes together. */
function commitSentences(told: Told, commits: readonly CommitLine[]): readonly string[] {
  const groups = new Map<string, CommitLine[]>();
  const seen = new Set<string>();
  for (const line of commits) {
    // Who starts again commits again.
    const about = `${line.seat} ${line.value.ids.join()}`;
    if (seen.has(about)) continue;
    seen.add(about);
    const key = `${line.value.ids.join()} ${line.voters?.join() ?? `word of ${line.toldBy}`}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(line);
  }
  return [...groups.values()].map((group) => {
    const [first] = group as [CommitLine];
    const who = names(sorted(group.map(({ seat }) => seat)));
    const how =
      first.voters === undefined
        ? wordSentence(told, first)
        : `with the votes of ${names(first.voters)}`;
    const what = `${first.value.name} at position ${first.slot}`;
    return `${who} committed ${what} ${how}, ${when(told, first.at)}.`;
  });
}

function wordSentence({ story }: Told, line: CommitLine): string {
  const held = heldWith(story, line);
  const holding = held.length === 1 ? 'holds' : 'hold';
  const known = held.length === 0 ? '' : ` (${names(held)} ${holding} it)`;
  return line.toldBy === undefined
    ? `on another's word${known}`
    : `on the word of n${line.toldBy}${known}`;
}

/** What two quorums have in common: in a fork, of both values; else, why there was none. */
function overlapSentences(
  told: Told,
  lie: StoryLine | undefined,
  commits: readonly CommitLine[],
): readonly string[] {
  const first = commits[0];
  const overlap = overlapOf(told);
  if (first === undefined || overlap === undefined) return [];
  const [one, two] = overlap.quorums;
  if (one !== undefined && two !== undefined)
    return [
      `Behind ${one.value} stand ${names(one.members)}, behind ${two.value} ${names(two.members)}.`,
      ...(overlap.both === undefined
        ? ['On whose word they took it is not recorded.']
        : bothSentences(overlap.both, told.liars)),
    ];
  const { size } = overlap;
  if (size === undefined) return [];
  return [...(lie ? beaten(told, lie, first, size) : []), whyNot(told, size)];
}

/** Who is in two quorums that decided differently. */
function bothSentences(both: readonly number[], liars: readonly number[]): readonly string[] {
  if (both.length === 0) return ['They have nobody in common: two quorums that do not meet.'];
  const lied = both.filter((id) => liars.includes(id));
  const honest = both.filter((id) => !liars.includes(id));
  return [
    ...(lied.length > 0 ? [`Both have ${names(lied)}, who lied.`] : []),
    ...(honest.length > 0
      ? [`Both have ${names(honest)}: honest, and behind one value and the other.`]
      : []),
  ];
}

/** What the liar also told, and how many votes it could have got. */
function beaten(
  { story, liars }: Told,
  lie: StoryLine,
  committed: CommitLine,
  size: number,
): readonly string[] {
  const place = placeOf(story, lie);
  const isCommitted = ({ ids }: ToldValue): boolean => ids.join() === committed.value.ids.join();
  return (lie.values ?? []).flatMap((value) => {
    const held = holders(story, value, place);
    const most = sorted([...held, ...liars]).length;
    if (isCommitted(value) || most >= size) return [];
    const whose = held.length === 0 ? 'only the liar' : `${names(held)} and the liar`;
    return [`For ${value.name} there were ${whose}: ${most} of the ${size} votes that it takes.`];
  });
}

/** How many any two quorums share, and whether those can all be liars. */
function whyNot({ n, liars }: Told, size: number): string {
  const shared = 2 * size - n;
  const quorums = `Any two quorums of ${size} among ${n}`;
  if (shared <= 0)
    return `${quorums} need not meet: who leads next must have asked a member of each.`;
  const share = `${quorums} share at least ${shared === 1 ? 'one member' : `${shared} members`}`;
  if (liars.length === 0) return `${share}, so no other value could have been committed there.`;
  const lying = liars.length === 1 ? 'one lies' : `${liars.length} lie`;
  return shared > liars.length
    ? `${share}, and ${lying}: an honest one would have had to vote for both.`
    : `${share}, and ${lying}: whoever lies could have voted for both.`;
}
