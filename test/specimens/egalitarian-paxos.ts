/**
 * One instance of EPaxos as it was published (Moraru, Andersen and Kaminsky, SOSP 2013): three
 * replicas, of which the first leads the instance, and what a recovery makes of what two of them
 * say. Its specification has one ballot for what a replica has joined and for what it has accepted
 * (Sutra, "On the correctness of Egalitarian Paxos", 2019); with `two` they are apart.
 */

/** How many ballots a replica keeps for an instance. */
export type Ballots = 'one' | 'two';

/** What a replica knows of the instance; its command is always the same. */
interface Row {
  status: 'none' | 'pre-accepted' | 'accepted' | 'committed';
  /** The ballot that was joined last. */
  joined: number;
  /** The ballot in which the dependencies were accepted last. */
  accepted: number;
  dependencies: readonly string[];
}

/** An answer to Prepare: the row as it was before the replica joined the ballot. */
export type Told = Readonly<Omit<Row, 'joined'>>;

/** The three replicas; a message is a call, and one that is late is a call that comes later. */
export interface Instance {
  /** The replica hears PreAccept, and names what it knows to interfere. */
  preAccept(at: number, dependencies: readonly string[]): void;
  /** The replica joins a ballot, or refuses it. */
  prepare(at: number, ballot: number): Told | undefined;
  /** The replica accepts; whether it did. */
  accept(at: number, ballot: number, dependencies: readonly string[]): boolean;
  commit(at: number, dependencies: readonly string[]): void;
  /** What the replica has committed, if anything. */
  committedAt(at: number): readonly string[] | undefined;
}

/** An instance of which nobody has heard yet. */
export function instance(ballots: Ballots): Instance {
  const rows = [0, 1, 2].map(
    (): Row => ({ status: 'none', joined: 0, accepted: 0, dependencies: [] }),
  );
  const rowOf = (at: number): Row => rows[at] as Row;
  return {
    preAccept: (at, dependencies) =>
      void Object.assign(rowOf(at), { status: 'pre-accepted', dependencies }),
    prepare(at, ballot) {
      const row = rowOf(at);
      if (ballot <= row.joined) return undefined;
      const { status, accepted, dependencies } = row;
      row.joined = ballot;
      // The one variable is written by whoever joins: what was accepted seems to be of this ballot.
      if (ballots === 'one') row.accepted = ballot;
      return { status, accepted, dependencies };
    },
    accept(at, ballot, dependencies) {
      const row = rowOf(at);
      if (ballot < row.joined) return false;
      Object.assign(row, { status: 'accepted', joined: ballot, accepted: ballot, dependencies });
      return true;
    },
    commit: (at, dependencies) =>
      void Object.assign(rowOf(at), { status: 'committed', dependencies }),
    committedAt: (at) => (rowOf(at).status === 'committed' ? rowOf(at).dependencies : undefined),
  };
}

/**
 * What a recovery goes on with by the answers of two of three (SOSP 2013, figure 3): what is
 * committed; what was accepted in the highest ballot; what was pre-accepted. Of several that are as
 * good the first counts, as nothing in the text prefers one.
 */
export function recovered(told: readonly Told[]): readonly string[] {
  const committed = told.find(({ status }) => status === 'committed');
  if (committed !== undefined) return committed.dependencies;
  const accepted = told.filter(({ status }) => status === 'accepted');
  const highest = Math.max(...accepted.map((each) => each.accepted));
  const chosen =
    accepted.find((each) => each.accepted === highest) ??
    told.find(({ status }) => status === 'pre-accepted');
  return chosen?.dependencies ?? [];
}
