/** What a client of a protocol has to know (architecture 11.1). */
export interface ClientPolicy {
  /** How many replicas must give the same reply before it is believed: 1, or f+1. */
  readonly matching: number;
  /**
   * With `matching` above one: how many replies that are tentative, of one slot in one term, make a
   * result believed before it is decided: see `Context.executeTentatively`. Absent: none are.
   */
  readonly tentative?: number;
  /**
   * With `matching` above one: how many replicas must give the same answer to a linearizable read
   * that takes no place in the log. All are asked at once; a read for which so many do not agree in
   * time is ordered like a write. Absent: all reads are ordered.
   */
  readonly reads?: number;
  /** 'leader': a replica that is not the leader redirects. 'any': every replica takes requests. */
  readonly ask: 'leader' | 'any';
  /**
   * With 'leader': a replica that knows the leader gives it what clients ask to have ordered, by
   * `Protocol.propose`, and redirects only their reads. The leader replies.
   */
  readonly forwards?: boolean;
  /**
   * With 'leader': `Protocol.read` answers at any replica that follows a leader, so clients
   * take their linearizable reads to all of them in turn.
   */
  readonly readsAnywhere?: boolean;
  /**
   * With 'any': a client stays with the replica that it asks for as long as that one answers, even
   * if others answer earlier. Where nobody leads there is nobody to follow, and who was chosen may
   * stand nearby.
   */
  readonly stays?: boolean;
  /** Whether requests and replies must be signed, or the channel's word is enough. */
  readonly signed: boolean;
}
