/**
 * When two requests are the same. One home for all who compare them, so that none forgets a part:
 * checkers, vows, and replicas that look whether they have accepted something else before.
 */
import { sameBytes, toHex } from './bytes.ts';
import type { Request } from './message.ts';
import type { Signed } from './protocol.ts';

const none = new Uint8Array();

/** What a request asks for: operations for the application, or a change of the group. */
export type Wish = Pick<Request, 'operations' | 'configuration'>;

/** Whether two ask for the same. No change of the group is the same as an empty one. */
export const sameWish = (one: Wish, two: Wish): boolean =>
  one === two ||
  (sameOperations(one.operations, two.operations) &&
    sameBytes(one.configuration ?? none, two.configuration ?? none));

const sameOperations = (one: Request['operations'], two: Request['operations']): boolean =>
  one === two ||
  (one.length === two.length && one.every((each, i) => sameBytes(each, two[i] as Uint8Array)));

/**
 * Whether two are the same request of the same client. Who signed it does not count, and neither
 * does what the client says to have heard meanwhile, its acknowledgement.
 */
export const sameRequest = (one: Request, two: Request): boolean =>
  one === two ||
  (one.client === two.client &&
    one.sequence === two.sequence &&
    (one.session ?? 0) === (two.session ?? 0) &&
    sameWish(one, two));

/** Whether two are equal in every part: the same bytes when they are encoded. */
export const equalRequests = (one: Request, two: Request): boolean =>
  one === two || (one.acknowledged === two.acknowledged && sameRequest(one, two));

/**
 * Whether two slots hold the same requests in the same order, by `same`. A no-op, which has none,
 * is another decision than any request.
 */
export const sameDecision = (
  one: readonly Request[],
  two: readonly Request[],
  same: (one: Request, two: Request) => boolean = sameRequest,
): boolean =>
  one === two ||
  (one.length === two.length && one.every((each, i) => same(each, two[i] as Request)));

const identities = new WeakMap<Request, string>();

/**
 * A text that two requests share only if they are {@link equalRequests}: what a vow is about. It is
 * kept as long as the request itself.
 */
export function identityOf(request: Request): string {
  let text = identities.get(request);
  if (text === undefined) {
    const { client, session = 0, sequence, operations, configuration = none } = request;
    // An empty operation is one all the same.
    const hexes = operations.map((each) => (each.length === 0 ? '-' : toHex(each)));
    const who = session === 0 ? `${client}` : `${client}.${session}`;
    text = `${who}/${sequence}/${request.acknowledged}/${hexes.join(',')}`;
    if (configuration.length > 0) text += `/${toHex(configuration)}`;
    identities.set(request, text);
  }
  return text;
}

/** A request that its client has not made: `request` with other operations, and as well encoded. */
export function altered(request: Signed<Request>): Signed<Request> {
  const { configuration: _, ...rest } = request;
  return { ...rest, operations: request.operations.length === 0 ? [new Uint8Array(1)] : [] };
}
