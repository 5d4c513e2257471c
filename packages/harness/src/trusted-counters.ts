/** The trusted counters of a run, for protocols that rest on some. */
import type { MessagesField, PrincipalId, Tagged } from '@quorumlab/core';
import type { LogShape, Serviced, ServicedProtocol } from '@quorumlab/log';
import type { SimulatedKeyring } from '@quorumlab/sim';
import {
  CounterError,
  countedKeyring,
  type Keyring,
  type TrustedCounter,
  trustedCounter,
} from '@quorumlab/wire';
import { attackOf } from './attacks.ts';
import type { Scenario } from './scenario.ts';

type Message = Serviced<LogShape>['Message'];

/**
 * The trusted counters of a run, one a member: all copies of a traitor share it, and a crash does
 * not set it back. What a counter refuses is not said. An attack may set back those of traitors.
 */
export function countersOf(
  { attack, by }: Scenario,
  group: ServicedProtocol<LogShape>,
  numbered: NonNullable<ServicedProtocol<LogShape>['numbered']>,
): (keyring: Keyring<Message>) => CountedKeyring {
  const source = { messages: group.messages as unknown as MessagesField<Tagged>, numbered };
  const counters = new Map<PrincipalId, TrustedCounter>();
  return (keyring) => {
    const { self } = keyring;
    const isSetBack = attackOf(attack).setsBack === true && by.includes(self);
    if (isSetBack) return keyring;
    const counter = counters.get(self) ?? trustedCounter();
    counters.set(self, counter);
    const ring = countedKeyring(keyring, source, counter);
    return {
      ...ring,
      get counters() {
        return ring.counters;
      },
      sign(message) {
        try {
          return ring.sign(message);
        } catch (error) {
          if (error instanceof CounterError) return undefined;
          throw error;
        }
      },
    };
  };
}

/** A keyring whose trusted counter may refuse. */
type CountedKeyring = Omit<Keyring<Message>, 'sign'> & SimulatedKeyring<Message>;
