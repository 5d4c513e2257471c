/** What the members of the HotStuff family differ in; everything else is one engine. */
import type { Node, Point, Tree } from '../blocks.ts';
import type { Block, TimeoutCertificate, Vote } from '../messages.ts';

/** What a replica looks at before it votes. */
export interface Proposed {
  readonly block: Block;
  /** The view of the certificate for the block's parent; 0 for the genesis block. */
  readonly justifyView: number;
  readonly timeouts: TimeoutCertificate | null;
  /** The highest certified view that this replica knows. */
  readonly highView: number;
  readonly locked: Point;
  readonly tree: Tree;
}

/** The rules of one member of the family. */
export interface RuleSet {
  /** Whether a replica that has not voted in the view of `proposed` may vote for its block. */
  mayVote(proposed: Proposed): boolean;
  /**
   * What a certificate of `node` locks a replica on; nothing if it locks on nothing. `node` is
   * undefined while its block is unknown.
   */
  locks(certified: Vote, node: Node | undefined): Point | undefined;
  /** The newest block that is committed because `node` is `certified`, if there is one. */
  commits(tree: Tree, node: Node, certified: Vote): Node | undefined;
  /** Whether a leader that does not hold the certificate of the view before waits for others. */
  readonly waits: boolean;
  /** Whether a block goes through all phases in its own view, each with a round of votes. */
  readonly phased: boolean;
  /**
   * Whose certificate a voter for a block is locked on: that of the block's parent, of its
   * grandparent, of the block itself in the last phase, or nothing that its vote could tell.
   */
  readonly votesLock: 'parent' | 'grandparent' | 'phase' | 'nothing';
  /** Leaders in a row that must be alive for a commit when each leads one view. */
  readonly leadersInARow: number;
}
