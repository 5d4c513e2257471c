/**
 * What is signed, what is sent, and how a lie is proven: digests, envelopes with domain separation,
 * keyrings, certificates and the equivocation detector.
 *
 * @packageDocumentation
 */

export * from './aggregate.ts';
export * from './aggregating-keyring.ts';
export * from './bounded.ts';
export * from './certificate.ts';
export * from './channel-keyring.ts';
export * from './digest.ts';
export {
  bodyBytes,
  type Domain,
  domainField,
  domainIdentity,
  domainIdentityBytes,
  domainOf,
  signingBytes,
} from './domain.ts';
export * from './ed25519.ts';
export * from './ed25519-keyring.ts';
export * from './envelope.ts';
export * from './guilt-proof.ts';
export {
  type IdealAuthority,
  type IdealAuthorityOptions,
  type IdealKeyringOptions,
  idealAuthority,
  idealKeyring,
} from './ideal-keyring.ts';
export * from './judge.ts';
export {
  type CheckSeal,
  type CheckShared,
  type Counters,
  type EvidenceItem,
  type EvidenceLimits,
  type EvidenceSource,
  type Keyring,
  KeyringError,
  type SignatureFault,
} from './keyring.ts';
export * from './mac-keyring.ts';
export * from './transcript.ts';
export * from './trusted-counter.ts';
export * from './vows.ts';
